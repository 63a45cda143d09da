"""Headers and form to what a request says of its client."""

from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.clients.authentication import PresentedClient
from authcenter.core.client import AuthMethod
from authcenter.core.errors import OAuthError
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from authcenter.http.credentials import client_credentials, read_basic
from tests.unit.http.requests import request
from tests.workbench import refused

BASIC, POST, NONE = AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST, AuthMethod.NONE
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


def basic(raw: str | bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {b64encode(raw.encode() if isinstance(raw, str) else raw).decode()}"


@given(texts.filter(bool), texts)
def test_id_and_secret_are_form_encoded_before_base64(client_id: str, secret: str) -> None:
    for encode in (quote_plus, quote):
        header = basic(f"{encode(client_id, safe='')}:{encode(secret, safe='')}")
        assert read_basic(header) == PresentedClient(client_id, BASIC, secret)


HEADERS = [
    pytest.param(basic("app:secret"), ("app", "secret"), id="plain"),
    pytest.param(basic("app:secret", "bASIC"), ("app", "secret"), id="scheme in any case"),
    pytest.param(basic("app:a:b"), ("app", "a:b"), id="colons in the secret"),
    pytest.param(basic("a%3Ab:s%3At"), ("a:b", "s:t"), id="escaped colons"),
    pytest.param(basic("app:100%25"), ("app", "100%"), id="escaped percent"),
    pytest.param(basic("app:a+b%2B"), ("app", "a b+"), id="plus is a blank"),
    pytest.param(basic("app:%C3%A9\u00e9"), ("app", "\u00e9\u00e9"), id="unicode"),
    pytest.param(basic("app:"), ("app", ""), id="empty secret"),
    pytest.param(basic("app:s") + "  ", ("app", "s"), id="blanks behind"),
]
BROKEN = [
    pytest.param("", id="empty"),
    pytest.param("Basic", id="nothing but the scheme"),
    pytest.param("Bearer abc", id="another scheme"),
    pytest.param("Basic !!!", id="not base64"),
    pytest.param("Basic YXBw", id="no colon"),
    pytest.param(basic(":secret"), id="no id"),
    pytest.param(basic("app:100%"), id="a bare percent"),
    pytest.param(basic(b"app:\xff"), id="not UTF-8"),
    pytest.param(basic("app:%FF"), id="escaped, not UTF-8"),
    pytest.param(basic("a%00:x"), id="NUL"),
    pytest.param("Basic \u00e9", id="not ASCII"),
    pytest.param("Basic \udcff", id="not UTF-8 in the header"),
    pytest.param(basic("app:s").replace("=", ""), id="unpadded"),
    pytest.param(basic("app:secret") + " x", id="more behind"),
]


@pytest.mark.parametrize(("header", "expected"), HEADERS)
def test_basic(header: str, expected: tuple[str, str]) -> None:
    assert read_basic(header) == PresentedClient(expected[0], BASIC, expected[1])


@pytest.mark.parametrize("header", BROKEN)
def test_broken_basic(header: str) -> None:
    with refused(Rule.CREDENTIALS_MALFORMED):
        read_basic(header)


@given(st.text(max_size=60) | st.binary(max_size=40).map(basic) | texts.map(lambda text: f"Basic {text}"))
def test_any_header_is_a_client_or_refused(header: str) -> None:
    assert outcome(header) in {"a client", ("invalid_client", 401)}


def outcome(header: str) -> object:
    try:
        return "a client" if read_basic(header).client_id else "nobody"
    except OAuthError as refusal:
        return refusal.code, refusal.status


WAYS = [
    pytest.param([basic("app:s")], {}, PresentedClient("app", BASIC, "s"), id="header"),
    pytest.param([basic("app:s")], {"client_id": "app"}, PresentedClient("app", BASIC, "s"), id="header and its id"),
    pytest.param([], {"client_id": "app", "client_secret": "s"}, PresentedClient("app", POST, "s"), id="form"),
    pytest.param([], {"client_id": "app"}, PresentedClient("app", NONE), id="id alone"),
    pytest.param([], {"client_id": "app", "client_secret": ""}, PresentedClient("app", NONE), id="empty secret"),
]
REFUSED = [
    pytest.param([], {}, Rule.CREDENTIALS_MISSING, id="nothing"),
    pytest.param([], {"client_secret": "s"}, Rule.CREDENTIALS_MISSING, id="a secret without an id"),
    pytest.param([], {"client_id": ""}, Rule.CREDENTIALS_MISSING, id="an empty id"),
    pytest.param([basic("app:s")], {"client_secret": "s"}, Rule.CREDENTIALS_SEVERAL, id="header and form"),
    pytest.param([basic("app:s")], {"client_id": "other"}, Rule.CREDENTIALS_SEVERAL, id="two ids"),
    pytest.param([basic("app:s"), basic("app:s")], {}, Rule.CREDENTIALS_SEVERAL, id="two headers"),
    pytest.param(["Bearer x"], {"client_id": "app"}, Rule.CREDENTIALS_MALFORMED, id="a bearer token"),
]


@pytest.mark.parametrize(("headers", "form", "expected"), WAYS)
def test_the_one_way_a_request_names_its_client(
    headers: list[str], form: dict[str, str], expected: PresentedClient
) -> None:
    assert client_credentials(request(("Authorization", header) for header in headers), Form(form)) == expected


@pytest.mark.parametrize(("headers", "form", "rule"), REFUSED)
def test_what_is_refused(headers: list[str], form: dict[str, str], rule: Rule) -> None:
    with refused(rule):
        client_credentials(request(("Authorization", header) for header in headers), Form(form))
