"""Which browser origins may read a client's answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.clients.origins import allowed_origins, origin_of
from tests.workbench import Workbench

ORIGINS = [
    ("https://app.example/cb?x#y", "https://app.example"),
    ("https://APP.example:443/", "https://app.example"),
    ("http://app.example:80", "http://app.example"),
    ("http://app.example:443", "http://app.example:443"),
    ("https://app.example:8443/", "https://app.example:8443"),
    ("http://[::1]:3000/cb", "http://[::1]:3000"),
    ("https://user:pass@app.example/", "https://app.example"),
    ("com.example.app:/cb", None),
    ("javascript:alert(1)", None),
    ("https://", None),
    ("https://app.example:99999", None),
    ("https://app.example:x", None),
    ("https://[::1", None),
    ("https://a;b.example/cb", None),
    ("https://a'b.example/", None),
    ("https://a,b.example/", None),
    ("https://%61.example/", None),
    ("https://" + "a" * 254, None),
    ("null", None),
    ("", None),
]


@pytest.mark.parametrize(("uri", "origin"), ORIGINS)
def test_the_origin_of_a_uri(uri: str, origin: str | None) -> None:
    assert origin_of(uri) == origin


@given(st.text(max_size=40) | st.text("htps:/[]@.1a#?", max_size=20))
def test_an_origin_is_its_own_origin(text: str) -> None:
    origin = origin_of(text)
    assert origin is None or origin_of(origin) == origin


async def test_a_clients_list_counts_instead_of_its_redirect_uris(bench: Workbench) -> None:
    uris = ("https://app.example/cb", "https://app.example/other", "com.example.app:/cb", "http://127.0.0.1:1/cb")
    by_uris = await bench.client("by-uris", redirect_uris=uris)
    by_list = await bench.client("by-list", redirect_uris=uris, origins=frozenset({"https://spa.example"}))
    assert allowed_origins(by_uris) == {"https://app.example", "http://127.0.0.1:1"}
    assert allowed_origins(by_list) == {"https://spa.example"}
    assert allowed_origins(await bench.client("none")) == frozenset()
