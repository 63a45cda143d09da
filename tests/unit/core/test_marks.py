"""What a client sent in the place of something else is not kept in clear."""

import pytest

from authcenter.core.checks import begin_trace, mark
from authcenter.core.marks import marked_client_id, marked_uri

CODE = "acc_QmFzZTY0dXJsIG9mIHJhbmRvbSBieXRlcw"
SECRET = "pJ0vT3-_xYq5sZ8aWbC1dE2fG4hI6jK7lM9nO0pQrSt"
KNOWN = ["https://app.example/cb?tenant=a"]


@pytest.fixture(autouse=True)
def traced() -> None:
    begin_trace(b"k" * 32)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("https://app.example/cb", "https://app.example/cb"),
        (f"https://app.example/cb?code={CODE}&state=s", "https://app.example/cb?code={code}&state={s}"),
        (f"https://app.example/cb#code={CODE}", "https://app.example/cb#code={code}"),
        (f"https://app.example/cb?{CODE}", "https://app.example/cb?{code}"),
        (f"https://app.example/cb?code={CODE}=&x=", "https://app.example/cb?code={code=}&x="),
        (f"https://app.example/cb?tenant=a&code={CODE}", "https://app.example/cb?tenant=a&code={code}"),
        (f"https://app.example/cb?a?code={CODE}#{CODE}", "https://app.example/cb?{a}?code={code}#{code}"),
        ("https://me:secret@app.example/cb", "https://***@app.example/cb"),
        ("", ""),
        ("&=?#", "&=?#"),
    ],
)
def test_values_of_a_uri_are_marked_and_its_shape_stays(sent: str, told: str) -> None:
    for name, value in (("{code=}", CODE + "="), ("{code}", CODE), ("{s}", "s"), ("{a}", "a")):
        told = told.replace(name, mark(value))
    assert marked_uri(sent, KNOWN) == told
    assert CODE not in marked_uri(sent, KNOWN)


def test_an_id_stays_and_what_may_be_a_secret_does_not() -> None:
    for client_id in ("app", "", "https://app.example/client", "0191d7a0-3f1c-7b2e-8e1d-5a1f2b3c4d5e", "a b" * 100):
        assert marked_client_id(client_id) == client_id
    assert marked_client_id(SECRET) == f"(43 characters, mark {mark(SECRET)})"
