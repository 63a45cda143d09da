"""RP-Initiated, Back-Channel and Front-Channel Logout OP: one row for each module of the Foundation's suite."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from authcenter.core.relying_party import RelyingParty as Registered
from tests.integration.conformance.browser import Browser, Callback, Page
from tests.integration.conformance.deployment import SUITE, Deployment, random_text, relying_party
from tests.integration.conformance.flow import Flow
from tests.integration.conformance.relying_party import Tokens
from tests.integration.service import relying_party as far
from tests.integration.service.api import until

_OUT = f"{SUITE}/test/a/authcenter/post_logout_redirect"
_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_SILENT = {"login_required", "interaction_required", "consent_required", "account_selection_required"}


@dataclass(frozen=True, slots=True)
class Leaving:
    """A person who is signed in at a client and wants to leave."""

    flow: Flow
    tokens: Tokens

    def go(self, **parameters: str) -> Page | Callback:
        return self.flow.person.browser.open(f"{self.flow.deployment.issuer}/oauth/logout?{urlencode(parameters)}")

    def go_on(self, shown: Page | Callback) -> Page | Callback:
        """Say yes, where a page asks."""
        if isinstance(shown, Page) and shown.forms:
            assert shown.status == 200
            return self.flow.person.browser.submit(shown.forms[-1], "logout")
        return shown

    def is_signed_out(self) -> bool:
        request = self.flow.client.request(prompt="none")
        callback = self.flow.person.browser.open(self.flow.client.url(request))
        assert isinstance(callback, Callback)
        return callback.members.get("error") in _SILENT

    def assert_not_led_away(self, shown: Page | Callback) -> None:
        """An error, or a question whose answer leads no further than the page that says so."""
        assert isinstance(shown, Page), shown
        assert shown.status in {200, 400}
        assert shown.answer.headers["Content-Type"].startswith("text/html")

    def assert_said(self, shown: Page | Callback) -> None:
        """Signed out, by a page that says so."""
        done = self.go_on(shown)
        assert isinstance(done, Page)
        assert (done.status, done.forms) == (200, [])
        assert self.is_signed_out()


@pytest.fixture(scope="module")
def hearing() -> Iterator[far.RelyingPartyServer]:
    """The client's own server."""
    with far.relying_party() as server:
        yield server


@pytest.fixture
def leaving(deployment: Deployment, browser: Browser) -> Leaving:
    party = Registered(post_logout_redirect_uris=(_OUT,))
    return signed_in(deployment, browser, party)


def signed_in(deployment: Deployment, browser: Browser, party: Registered) -> Leaving:
    client = relying_party(deployment.service, f"leaving-{secrets.token_hex(4)}", relying_party=party)
    flow = Flow(deployment, client, deployment.person(browser))
    return Leaving(flow, flow.sign_in())


Module = Callable[[Leaving], None]


def logout(leaving: Leaving) -> None:
    _check_redirect(leaving, state=random_text(128))


def logout_no_state(leaving: Leaving) -> None:
    _check_redirect(leaving)


def _check_redirect(leaving: Leaving, **state: str) -> None:
    hint = leaving.tokens.id_token
    callback = leaving.go_on(leaving.go(id_token_hint=hint, post_logout_redirect_uri=_OUT, **state))
    assert isinstance(callback, Callback)
    assert callback.uri.partition("?")[0] == _OUT
    assert callback.query == state
    assert leaving.is_signed_out()


def refuses(make: Callable[[Leaving], dict[str, str]]) -> Module:
    def module(leaving: Leaving) -> None:
        shown = leaving.go(**make(leaving), state="s")
        leaving.assert_not_led_away(shown)
        if isinstance(shown, Page) and shown.status == 400:
            assert not leaving.is_signed_out()

    return module


def says_so(make: Callable[[Leaving], dict[str, str]]) -> Module:
    def module(leaving: Leaving) -> None:
        leaving.assert_said(leaving.go(**make(leaving)))

    return module


def _hint(leaving: Leaving) -> dict[str, str]:
    return {"id_token_hint": leaving.tokens.id_token}


def _unsigned(leaving: Leaving) -> dict[str, str]:
    return {"id_token_hint": jwt.encode(leaving.tokens.claims, "", algorithm="none"), "post_logout_redirect_uri": _OUT}


def _foreign(leaving: Leaving) -> dict[str, str]:
    own = rsa.generate_private_key(65537, 2048)
    kid = jwt.get_unverified_header(leaving.tokens.id_token)["kid"]
    hint = jwt.encode(leaving.tokens.claims, own, algorithm="RS256", headers={"kid": kid})
    return {"id_token_hint": hint, "post_logout_redirect_uri": _OUT}


_MODULES: dict[str, Module] = {
    "oidcc-rp-initiated-logout": logout,
    "oidcc-rp-initiated-logout-no-state": logout_no_state,
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": refuses(
        lambda leaving: {**_hint(leaving), "post_logout_redirect_uri": "https://attacker.example/"}
    ),
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": refuses(
        lambda leaving: {**_hint(leaving), "post_logout_redirect_uri": f"{_OUT}?foo=bar"}
    ),
    "oidcc-rp-initiated-logout-modified-id-token-hint": refuses(_unsigned),
    "oidcc-rp-initiated-logout-bad-id-token-hint": refuses(_foreign),
    "oidcc-rp-initiated-logout-no-id-token-hint": refuses(lambda _: {"post_logout_redirect_uri": _OUT}),
    "oidcc-rp-initiated-logout-no-params": says_so(lambda _: {}),
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri": says_so(_hint),
    "oidcc-rp-initiated-logout-only-state": says_so(lambda _: {"state": "s"}),
}


@pytest.mark.parametrize("module", _MODULES.values(), ids=_MODULES.keys())
def test_rp_initiated_logout_op(leaving: Leaving, module: Module) -> None:
    module(leaving)


def test_discovery_says_what_logout_there_is(deployment: Deployment) -> None:
    metadata = deployment.metadata()
    assert metadata["end_session_endpoint"].startswith(f"{deployment.issuer}/")
    for channel in ("backchannel", "frontchannel"):
        assert metadata[f"{channel}_logout_supported"] is True
        assert metadata[f"{channel}_logout_session_supported"] is True


def test_backchannel_rp_initiated_logout(
    deployment: Deployment, browser: Browser, hearing: far.RelyingPartyServer
) -> None:
    path = f"/back-{secrets.token_hex(4)}"
    party = Registered(
        post_logout_redirect_uris=(_OUT,),
        backchannel_logout_uri=hearing.url + path,
        backchannel_logout_session_required=True,
    )
    leaving = signed_in(deployment, browser, party)
    _check_redirect(leaving, state=random_text(128))
    until(lambda: hearing.got(path), "the client is told")
    (form,) = hearing.got(path)
    assert form.keys() == {"logout_token"}
    claims = _logout_claims(leaving, form["logout_token"])
    assert claims["events"] == {_EVENT: {}}
    assert "nonce" not in claims
    of_id_token = leaving.tokens.claims
    assert (claims["sid"], claims["sub"]) == (of_id_token["sid"], of_id_token["sub"])


def test_frontchannel_rp_initiated_logout(deployment: Deployment, browser: Browser) -> None:
    uri = f"{SUITE}/test/a/authcenter/frontchannel_logout?own=kept"
    party = Registered(
        post_logout_redirect_uris=(_OUT,), frontchannel_logout_uri=uri, frontchannel_logout_session_required=True
    )
    leaving = signed_in(deployment, browser, party)
    _check_redirect(leaving, state=random_text(128))
    (framed,) = browser.framed
    assert framed.startswith(f"{uri}&")
    told = dict(parse_qsl(urlsplit(framed).query))
    assert told == {"own": "kept", "iss": deployment.issuer, "sid": leaving.tokens.claims["sid"]}


def _logout_claims(leaving: Leaving, token: str) -> dict[str, Any]:
    client = leaving.flow.client
    header = jwt.get_unverified_header(token)
    assert header["alg"] == client.alg
    key = next(key for key in client.jwks() if key["kid"] == header["kid"])
    required = ["iss", "aud", "iat", "exp", "jti", "events"]
    claims: dict[str, Any] = jwt.decode(
        token,
        jwt.PyJWK(key, algorithm=client.alg),
        [client.alg],
        audience=client.client_id,
        issuer=client.issuer,
        leeway=5,
        options={"require": required},
    )
    return claims
