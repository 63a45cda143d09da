"""Attacks on the pages of the code flow (RFC 9700 §4.7, §4.16, RFC 6749 §10), over HTTP."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.integration.conformance.browser import Browser, Callback, Page
from tests.integration.conformance.deployment import random_text
from tests.integration.conformance.flow import Flow
from tests.integration.service.api import until


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
