"""What an authorization request must not be, and whom that is told."""

from typing import Any

import pytest

from authcenter.authorization.redirects import registered
from tests.unit.authorization.test_authorize import GOOD, REDIRECT, Visitor, shop, visitor
from tests.workbench import ISSUER

__all__ = ["shop", "visitor"]


@pytest.mark.parametrize(
    ("change", "resources"),
    [
        pytest.param({"client_id": None}, (), id="no client"),
        pytest.param({"client_id": "nobody"}, (), id="unknown client"),
        pytest.param({"redirect_uri": "https://evil.example/cb"}, (), id="foreign redirect URI"),
        pytest.param({"redirect_uri": REDIRECT + "&x=1"}, (), id="more query"),
        pytest.param({"redirect_uri": REDIRECT.replace("shop.", "SHOP.")}, (), id="another case"),
        pytest.param({"redirect_uri": REDIRECT.replace("cb", "%63b")}, (), id="encoded"),
        pytest.param({"redirect_uri": REDIRECT + "#f"}, (), id="fragment"),
        pytest.param({"redirect_uri": REDIRECT.replace("//", "//u@")}, (), id="user info"),
        pytest.param({"redirect_uri": REDIRECT.replace("/cb", "/cb/..")}, (), id="path"),
        pytest.param({"redirect_uri": REDIRECT.replace("example/", "example:444/")}, (), id="port"),
        pytest.param({"client_id": "rp", "redirect_uri": None}, (), id="none sent by an OpenID client"),
        pytest.param(
            {"client_id": "spa", "redirect_uri": "http://localhost:5000/cb"}, (), id="localhost for 127.0.0.1"
        ),
        pytest.param({"client_id": "spa", "redirect_uri": "https://127.0.0.1:5000/cb"}, (), id="loopback by https"),
    ],
)
async def test_a_client_or_redirect_uri_that_is_not_known_is_told_to_the_person(
    visitor: Visitor, change: dict[str, Any], resources: tuple[str, ...]
) -> None:
    outcome = await visitor.authorize(**change)
    assert (outcome.status, outcome.location) == (400, "")
    assert outcome.headers["Content-Type"].startswith("text/html")
    assert "evil" not in outcome.body


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param({"response_type": None}, "invalid_request", id="no response type"),
        pytest.param({"response_type": "token"}, "unsupported_response_type", id="implicit"),
        pytest.param({"response_type": "code id_token"}, "unsupported_response_type", id="hybrid"),
        pytest.param({"response_mode": "web_message"}, "invalid_request", id="unknown mode"),
        pytest.param({"scope": "openid admin"}, "invalid_scope", id="scope of somebody else"),
        pytest.param({"scope": 'a"b'}, "invalid_scope", id="malformed scope"),
        pytest.param({"code_challenge": None, "code_challenge_method": None}, "invalid_request", id="no PKCE"),
        pytest.param({"code_challenge_method": "plain"}, "invalid_request", id="plain"),
        pytest.param({"code_challenge_method": None}, "invalid_request", id="no method, which means plain"),
        pytest.param({"code_challenge": "short"}, "invalid_request", id="challenge"),
        pytest.param({"code_challenge": None}, "invalid_request", id="method without challenge"),
        pytest.param({"prompt": "none login"}, "invalid_request", id="none and login"),
        pytest.param({"max_age": "soon"}, "invalid_request", id="max_age"),
        pytest.param({"claims": "[]"}, "invalid_request", id="claims no object"),
        pytest.param({"claims": '{"userinfo": {"name": 1}}'}, "invalid_request", id="claims malformed"),
        pytest.param({"claims": "[" * 2_000}, "invalid_request", id="claims nested"),
        pytest.param({"id_token_hint": "a.b.c"}, "invalid_request", id="hint"),
        pytest.param({"nonce": "n" * 3_000}, "invalid_request", id="nonce too long"),
        pytest.param({"prompt": "none"}, "login_required", id="silently"),
        pytest.param(
            {
                "client_id": "spa",
                "redirect_uri": "com.example.app:/cb",
                "code_challenge": None,
                "code_challenge_method": None,
            },
            "invalid_request",
            id="public without PKCE",
        ),
    ],
)
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_what_else_is_wrong_is_told_to_the_client_with_state_and_issuer(
    visitor: Visitor, change: dict[str, Any], error: str, mode: str
) -> None:
    outcome = await visitor.authorize(**{"response_mode": mode, **change})
    assert outcome.told["error"] == error
    assert outcome.told["state"] == GOOD["state"]
    assert outcome.told["iss"] == ISSUER
    if mode == "form_post" and "response_mode" not in change:
        assert outcome.status == 200
        assert "form-action 'self' " in outcome.headers["Content-Security-Policy"]


async def test_an_openid_client_with_a_secret_may_do_without_pkce(visitor: Visitor) -> None:
    await visitor.sign_in()
    outcome = await visitor.authorize(client_id="rp", code_challenge=None, code_challenge_method=None)
    assert outcome.page == "/consent"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:51004/cb", "http://127.0.0.1/cb", "com.example.app:/cb"])
async def test_a_native_app_may_listen_at_any_port_of_the_loopback_address(visitor: Visitor, uri: str) -> None:
    assert (await visitor.authorize(client_id="spa", redirect_uri=uri)).page == "/login"


@pytest.mark.parametrize(
    ("uri", "known", "same"),
    [
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", True),
        ("http://[::1]:1/cb", "http://[::1]/cb", True),
        ("http://127.0.0.1:1/cb?x", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:1/CB", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:1@evil.example/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1.evil.example/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:99999/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:\u0661/cb", "http://127.0.0.1/cb", False),
        ("http://localhost:1/cb", "http://localhost:2/cb", False),
        ("HTTP://127.0.0.1:1/cb", "http://127.0.0.1/cb", False),
    ],
)
def test_only_the_port_of_a_loopback_address_may_differ(uri: str, known: str, same: bool) -> None:
    assert registered(uri, (known,)) is same
