"""The clients of most Node applications, over TLS through NGINX: code with PKCE, refresh, userinfo, logout."""

from pathlib import Path

import pytest

from tests.integration.conformance.browser import Browser, Page
from tests.integration.real_clients.behind_tls import OUT, REDIRECT_URI, SCOPE, BehindTls
from tests.integration.real_clients.node_clients import run


@pytest.mark.parametrize("pushed", [False, True], ids=["by query", "pushed"])
@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
def test_a_person_signs_in_and_out_and_the_client_refreshes_and_asks_who_it_is(
    behind_tls: BehindTls, browser: Browser, tmp_path: Path, library: str, *, pushed: bool
) -> None:
    client = behind_tls.confidential
    given = {
        "issuer": behind_tls.issuer,
        "client_id": client.client_id,
        "client_secret": client.secret,
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE,
        "pushed": pushed,
        "out": OUT,
    }
    found = run(library, tmp_path, behind_tls.certificate, given, lambda url: behind_tls.arrive(browser, url))

    assert found["sub"] == found["refreshed_sub"] == found["told"]["sub"] == behind_tls.user.subject
    assert found["told"]["email"] == behind_tls.user.email
    assert found["introspected"] is True
    assert found["logout"] == f"{OUT}?state=bye"
    # Nobody is signed in any more.
    account = browser.open(f"{behind_tls.issuer}/account")
    assert isinstance(account, Page)
    assert account.path == "/login"
