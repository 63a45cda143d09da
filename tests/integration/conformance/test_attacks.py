"""Attacks on the authorization code flow (RFC 9700 §2.1, §4), over HTTP as an attacker has to make them."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authcenter.core.client import Profile
from authcenter.proofs.pkce import challenge_of
from tests.integration.conformance.browser import Browser, Callback, Page
from tests.integration.conformance.deployment import CALLBACK, Deployment, random_text, relying_party
from tests.integration.conformance.flow import Flow
from tests.integration.conformance.relying_party import RelyingParty
from tests.integration.service.api import until

_LOOPBACK = "http://127.0.0.1:8400/cb"
_ODD = "%25&=+ ?#/\\'\"<script>alert(1)</script>äß漢🗝\u2028"


@pytest.fixture(scope="module")
def strict(deployment: Deployment) -> RelyingParty:
    """A client of the profile ``oauth21``: never without PKCE."""
    return relying_party(deployment.service, "strict", profile=Profile.OAUTH21)


@pytest.fixture(scope="module")
def native(deployment: Deployment) -> RelyingParty:
    return relying_party(deployment.service, "native", _LOOPBACK)


def challenge(verifier: str) -> dict[str, str]:
    return {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_an_injected_code_fails_the_verifier_of_the_attackers_own_attempt(flow: Flow) -> None:
    of_victim, of_attacker = random_text(43), random_text(43)
    stolen = flow.code(**challenge(of_victim))
    # The attacker began a flow of his own, and swaps the code in its answer: the client sends his verifier.
    assert refusal(flow.client.redeem(stolen, code_verifier=of_attacker)) == (400, "invalid_grant")
    # It neither worked nor ended what the victim is about to get.
    assert flow.client.redeem(stolen, code_verifier=of_victim).status_code == 200


def test_a_code_injected_where_pkce_was_not_used_is_given_away_by_its_nonce(flow: Flow) -> None:
    request = flow.client.request()
    stolen = flow.client.code(flow.person.visit(flow.client.url(request)), request)
    tokens = flow.client.tokens(flow.client.redeem(stolen), nonce=request["nonce"])
    assert tokens.claims["nonce"] != flow.client.request()["nonce"]


def test_the_code_of_another_client_is_worth_nothing_and_stays_whole(flow: Flow) -> None:
    stolen = flow.code()
    other = flow.deployment.client2
    assert refusal(other.redeem(stolen)) == (400, "invalid_grant")
    first = flow.client.redeem(stolen)
    assert first.status_code == 200
    # And when it has been redeemed, another client can not end what it gave.
    assert refusal(other.redeem(stolen)) == (400, "invalid_grant")
    assert flow.client.userinfo(first.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("uri", ["", f"{CALLBACK}/", f"{CALLBACK}?x=1", "https://attacker.example/cb"])
def test_a_code_is_bound_to_its_redirect_uri(flow: Flow, uri: str) -> None:
    assert refusal(flow.client.redeem(flow.code(), redirect_uri=uri)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "taken_out",
    [
        pytest.param({"code_challenge": None, "code_challenge_method": None}, id="no challenge"),
        pytest.param({"code_challenge_method": None}, id="no method, which means plain"),
        pytest.param({"code_challenge_method": "plain"}, id="plain"),
        pytest.param({"code_challenge_method": "s256"}, id="a method of another name"),
        pytest.param({"code_challenge": None}, id="a method alone"),
        pytest.param({"code_challenge": "short"}, id="no hash"),
    ],
)
def test_pkce_can_not_be_taken_out_of_the_request(
    flow: Flow, strict: RelyingParty, taken_out: dict[str, str | None]
) -> None:
    assert flow.by(strict).refused(**{**challenge(random_text(43)), **taken_out}) == "invalid_request"


@pytest.mark.parametrize("verifier", ["", "wrong" * 10, "challenge"])
def test_pkce_can_not_be_left_out_when_the_code_is_redeemed(flow: Flow, verifier: str) -> None:
    asked = challenge(random_text(43))
    form = {"code_verifier": asked["code_challenge"] if verifier == "challenge" else verifier} if verifier else {}
    assert refusal(flow.client.redeem(flow.code(**asked), **form)) == (400, "invalid_grant")


def test_a_code_of_a_request_without_pkce_is_not_taken_with_a_verifier(flow: Flow) -> None:
    # The attacker took the challenge out; the client, who sent it, still shows its verifier (RFC 9700 §4.8.2).
    assert refusal(flow.client.redeem(flow.code(), code_verifier=random_text(43))) == (400, "invalid_grant")


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_every_answer_names_its_issuer_so_that_no_two_servers_are_mixed_up(flow: Flow, mode: str) -> None:
    # The value itself is checked with each answer.
    flow.code(response_mode=mode)
    # In the very second of the sign-in, too.
    assert flow.refused(response_mode=mode, prompt="none", max_age="0") == "login_required"
    assert flow.refused(response_mode=mode, response_type="token") == "unsupported_response_type"
    request = flow.client.request(response_mode=mode, prompt="consent")
    denied = flow.person.visit(flow.client.url(request), agrees=False)
    assert flow.client.error(denied, request) == "access_denied"


def test_the_issuer_is_named_in_a_fragment_too(flow: Flow) -> None:
    callback = flow.person.visit(flow.client.url(flow.client.request(response_mode="fragment")))
    uri, _, fragment = callback.uri.partition("#")
    assert uri == flow.client.redirect_uri
    assert dict(parse_qsl(fragment))["iss"] == flow.deployment.issuer


@pytest.mark.parametrize("mode", ["query", "form_post"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(random_text(1_000), id="plain"),
        pytest.param((_ODD * 30)[:1_000], id="all that needs encoding"),
        pytest.param(" " * 1_000, id="blanks"),
    ],
)
def test_state_and_nonce_of_a_thousand_characters_come_back_as_they_were_sent(
    flow: Flow, mode: str, value: str
) -> None:
    # Through both pages, and the state in errors as well: compared with each answer.
    tokens = flow.sign_in(state=value, nonce=value, response_mode=mode, prompt="login consent")
    assert flow.person.asked == ["/login", "/consent"]
    assert tokens.claims["nonce"] == value
    assert flow.refused(state=value, nonce=value, response_mode=mode, response_type="token")


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param(f"{CALLBACK}/", id="a slash more"),
        pytest.param(f"{CALLBACK}/../callback", id="dots in the path"),
        pytest.param(f"{CALLBACK}/%2e%2e/callback", id="encoded dots"),
        pytest.param(f"{CALLBACK}%2f", id="encoded slash"),
        pytest.param(CALLBACK.replace("callback", "%63allback"), id="an encoded letter"),
        pytest.param(CALLBACK.replace("callback", "Callback"), id="case of the path"),
        pytest.param(CALLBACK.replace("suite", "SUITE"), id="case of the host"),
        pytest.param(CALLBACK.replace("https", "HTTPS"), id="case of the scheme"),
        pytest.param(CALLBACK.replace("https", "http"), id="without TLS"),
        pytest.param(f"{CALLBACK}?next=https://attacker.example", id="query"),
        pytest.param(f"{CALLBACK}#fragment", id="fragment"),
        pytest.param(CALLBACK.replace("suite.example", "suite.example:443"), id="default port"),
        pytest.param(CALLBACK.replace("suite.example", "suite.example:8443"), id="another port"),
        pytest.param(CALLBACK.replace("suite.example", "suite.example@attacker.example"), id="userinfo"),
        pytest.param(CALLBACK.replace("suite.example", "attacker.example\\@suite.example"), id="backslash"),
        pytest.param(CALLBACK.replace("suite.example", "suite.example.attacker.example"), id="longer host"),
        pytest.param(CALLBACK.replace("suite.example", "attacker.suite.example"), id="subdomain"),
        pytest.param(f" {CALLBACK}", id="a blank before"),
        pytest.param(f"{CALLBACK}\r\nLocation: https://attacker.example", id="a header in it"),
        pytest.param("//suite.example/test/a/authcenter/callback", id="no scheme"),
        pytest.param("javascript:alert(1)//suite.example", id="a script"),
    ],
)
@pytest.mark.parametrize("signed_in", [False, True], ids=["a stranger", "signed in"])
def test_nobody_is_sent_to_a_redirect_uri_that_is_not_registered_letter_by_letter(
    flow: Flow, uri: str, *, signed_in: bool
) -> None:
    if signed_in:
        flow.sign_in()
    for extra in ({}, {"response_type": None}, {"prompt": "none"}, {"response_mode": "form_post"}):
        page = flow.person.browser.open(flow.client.url(flow.client.request(redirect_uri=uri, **extra)))
        assert isinstance(page, Page), page
        assert page.status == 400
        assert uri not in page.text


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("http://127.0.0.1:1/cb", id="any port"),
        pytest.param("http://127.0.0.1/cb", id="no port"),
    ],
)
def test_a_native_app_gets_its_answer_at_the_port_it_listens_at(flow: Flow, native: RelyingParty, uri: str) -> None:
    callback = flow.person.visit(native.url(native.request(redirect_uri=uri)))
    assert callback.uri.startswith(f"{uri}?code=")


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("http://localhost:1/cb", id="a name, not an address"),
        pytest.param("http://127.0.0.2:1/cb", id="another address"),
        pytest.param("http://127.0.0.1:1/cb/", id="another path"),
        pytest.param("http://x@127.0.0.1:1/cb", id="userinfo"),
        pytest.param("http://127.0.0.1:1@attacker.example/cb", id="a port that is a password"),
        pytest.param("https://127.0.0.1:1/cb", id="another scheme"),
        pytest.param("http://127.0.0.1:99999/cb", id="no port at all"),
    ],
)
def test_nothing_but_the_port_is_open(flow: Flow, native: RelyingParty, uri: str) -> None:
    assert isinstance(flow.person.browser.open(native.url(native.request(redirect_uri=uri))), Page)


def _forged_jwt(claims: dict[str, Any], kid: str = "") -> str:
    own = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(claims, own, algorithm="ES256", headers={"kid": kid} if kid else None)


@pytest.mark.parametrize("whose", ["another issuer", "another client", "nobody"])
def test_an_id_token_hint_counts_only_where_it_is_ours_for_this_client(flow: Flow, whose: str) -> None:
    mine = flow.sign_in()
    match whose:
        case "another issuer":
            hint = _forged_jwt({**mine.claims, "iss": "https://attacker.example"})
        case "another client":
            hint = flow.by(flow.deployment.client2).sign_in().id_token
        case _:
            hint = jwt.encode(mine.claims, "", algorithm="none")
    assert flow.refused(id_token_hint=hint, prompt="none") == "invalid_request"


@pytest.mark.parametrize("signed", ["by a key of the attacker", "by nobody"])
def test_a_request_object_is_the_clients_own_or_none(flow: Flow, signed: str) -> None:
    flow.sign_in()
    inner = {"iss": flow.client.client_id, "aud": flow.deployment.issuer, **flow.client.request(scope="openid profile")}
    request = _forged_jwt(inner) if signed.startswith("by a key") else jwt.encode(inner, "", algorithm="none")
    assert flow.refused(request=request) == "invalid_request_object"


def test_a_sealed_sign_in_is_of_no_use_in_another_browser(flow: Flow) -> None:
    # Session fixation and login CSRF: the attacker's half-finished sign-in, sent to the victim.
    page = flow.person.browser.open(flow.client.url(flow.client.request(prompt="login")))
    assert isinstance(page, Page)
    with Browser(flow.deployment.issuer) as victim:
        shown = victim.open(page.url)
        assert isinstance(shown, Page)
        assert shown.status == 400
        assert "password" not in shown.text


def test_signing_in_gives_a_new_session_and_leaves_none_that_somebody_planted(flow: Flow) -> None:
    planted = random_text(43)
    browser = flow.person.browser
    browser.session.cookies.set("authcenter_session", planted, domain="127.0.0.1", path="/")
    flow.sign_in()
    first = browser.session.cookies["authcenter_session"]
    assert first != planted
    flow.sign_in(prompt="login")
    renewed = browser.session.cookies["authcenter_session"]
    assert renewed not in {planted, first}
    # Whoever has the cookie of before, be it the attacker's or a copy, is nobody as soon as the caches have heard.
    for old in (planted, first):
        with Browser(flow.deployment.issuer) as other:
            other.session.cookies.set("authcenter_session", old, domain="127.0.0.1", path="/")
            until(lambda other=other: _is_nobody(flow, other), "the old cookie is dead")


def _is_nobody(flow: Flow, browser: Browser) -> bool:
    callback = browser.open(flow.client.url(flow.client.request(prompt="none")))
    assert isinstance(callback, Callback)
    return callback.members.get("error") == "login_required"


def _forged(page: Page, change: dict[str, str], headers: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    return {**page.forms[-1].fields, **change}, headers


@pytest.mark.parametrize(
    ("change", "headers"),
    [
        pytest.param({"csrf": ""}, {}, id="no token"),
        pytest.param({"csrf": random_text(43)}, {}, id="a made-up token"),
        pytest.param({}, {"Origin": "https://attacker.example"}, id="from another origin"),
        pytest.param({}, {"Sec-Fetch-Site": "cross-site"}, id="from another site"),
        pytest.param({}, {"Sec-Fetch-Site": "same-site"}, id="from a subdomain"),
        pytest.param({}, {"Origin": "null"}, id="from nowhere"),
    ],
)
@pytest.mark.parametrize("path", ["/login", "/consent", "/account", "/oauth/logout"])
def test_a_form_counts_only_as_our_page_in_this_browser_sends_it(
    flow: Flow, path: str, change: dict[str, str], headers: dict[str, str]
) -> None:
    browser = flow.person.browser
    if path != "/login":
        flow.sign_in()
    page = browser.open(_link_to(flow, path))
    assert isinstance(page, Page)
    assert (page.status, page.path) == (200, path)
    fields, sent = _forged(page, change, headers)
    answer = browser.session.post(page.forms[-1].action, data=fields, headers=sent, timeout=30, allow_redirects=False)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/login", "/consent", "/account", "/oauth/logout", "/oauth/authorize"])
def test_no_page_lets_itself_be_framed_or_run_what_was_slipped_into_it(flow: Flow, path: str) -> None:
    if path not in {"/login", "/oauth/authorize"}:
        flow.sign_in()
    odd = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
    asked = {"state": odd, "login_hint": odd, "acr_values": odd, "ui_locales": odd, "next": odd}
    if path == "/oauth/authorize":
        asked["client_id"] = odd
    page = flow.person.browser.open(_link_to(flow, path, **asked))
    assert isinstance(page, Page)
    assert page.path == path
    policy = page.answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "script-src" not in policy
    assert page.answer.headers["X-Frame-Options"] == "DENY"
    assert page.answer.headers["Cache-Control"] == "no-store"
    assert page.answer.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert "<script" not in page.text
    assert "<img src=x" not in page.text


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_no_header_can_be_slipped_into_an_answer(flow: Flow, mode: str) -> None:
    odd = "x\r\nSet-Cookie: authcenter_session=planted\r\n\r\n<script>alert(1)</script>"
    url = flow.client.url(flow.client.request(state=odd, response_mode=mode, response_type="token"))
    answer = flow.person.browser.session.get(url, timeout=30, allow_redirects=False)
    assert "planted" not in answer.headers.get("Set-Cookie", "")
    assert "<script>alert" not in answer.text
    if mode == "query":
        assert dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["state"] == odd


def test_what_comes_after_the_sign_in_is_nobody_elses_choice(flow: Flow) -> None:
    # No open redirect: every name that other servers know for it.
    names = ("next", "return_to", "returnTo", "redirect", "continue", "url", "goto", "service", "RelayState")
    query = "&".join(f"{name}=https://attacker.example/" for name in names)
    page = flow.person.browser.open(f"{flow.deployment.issuer}/login?{query}")
    assert isinstance(page, Page)
    form = page.forms[-1]
    shown = flow.person.browser.submit(form, "login", username=flow.person.username, password=flow.person.password)
    assert isinstance(shown, Page)
    assert (shown.status, shown.path) == (200, "/account")


def _link_to(flow: Flow, path: str, **changes: str) -> str:
    """Where that page is shown to who is signed in."""
    if path in {"/account", "/oauth/logout"}:
        return f"{flow.deployment.issuer}{path}?{urlencode(changes)}"
    prompt = "consent" if path == "/consent" else "login"
    return flow.client.url(flow.client.request(prompt=prompt, **changes))
