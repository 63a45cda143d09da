"""Redirect URIs are compared letter by letter (RFC 9700 §4.1), but for the port of native apps (RFC 8252 §7.3)."""

import pytest

from tests.integration.conformance.browser import Page
from tests.integration.conformance.deployment import CALLBACK, Deployment, relying_party
from tests.integration.conformance.flow import Flow
from tests.integration.conformance.relying_party import RelyingParty

_LOOPBACK = "http://127.0.0.1:8400/cb"


@pytest.fixture(scope="module")
def native(deployment: Deployment) -> RelyingParty:
    return relying_party(deployment.service, "native", _LOOPBACK)


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
