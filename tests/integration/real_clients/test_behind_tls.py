"""What the proxy must not change: cookies, the issuer, and who asked."""

from typing import Any

import requests

from tests.integration.conformance.browser import Browser, Page
from tests.integration.real_clients.behind_tls import REDIRECT_URI, BehindTls
from tests.integration.service.running import log_line


def test_cookies_are_bound_to_the_host_and_to_https(behind_tls: BehindTls, browser: Browser) -> None:
    query = f"client_id=app&redirect_uri={REDIRECT_URI}&response_type=code&scope=openid"
    behind_tls.arrive(browser, f"{behind_tls.issuer}/oauth/authorize?{query}")
    cookies = {cookie.name: cookie for cookie in browser.session.cookies}
    assert set(cookies) == {f"__Host-authcenter_{name}" for name in ("browser", "session", "device")}
    assert all(cookie.secure and cookie.path == "/" and not cookie.domain_specified for cookie in cookies.values())


def test_who_asked_is_the_browser_and_not_the_proxy(behind_tls: BehindTls, browser: Browser) -> None:
    # Here the browser's own address is one of the trusted, so that it may say whom it asks for.
    browser.session.headers["X-Forwarded-For"] = "203.0.113.7"
    page = browser.open(f"{behind_tls.issuer}/login")
    assert isinstance(page, Page)
    assert log_line(behind_tls.service, page.answer.headers["X-Request-Id"])["ip"] == "203.0.113.7"


def test_everything_announced_is_https(behind_tls: BehindTls) -> None:
    url = f"{behind_tls.issuer}/.well-known/openid-configuration"
    metadata: dict[str, Any] = requests.get(url, timeout=30, verify=str(behind_tls.certificate)).json()
    urls = {name: value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))}
    assert urls
    assert all(value.startswith(f"{behind_tls.issuer}/") for value in urls.values()), urls
