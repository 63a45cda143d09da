"""One service for all broken sign-ins."""

from collections.abc import Iterator

import pytest

from authcenter.core.device import DEVICE_CODE_GRANT
from tests.integration.cli.console import Console
from tests.integration.conformance.browser import Browser
from tests.integration.explain.site import AUDIENCE, CALLBACK, POLICY, USER, Site
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import serving
from tests.servers.authcenter import AuthcenterProcess

_GRANTS = ("authorization_code", "refresh_token", "client_credentials", "password", DEVICE_CODE_GRANT)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """On SQLite, with two clients and Ada, who has signed in with her browser."""
    directory = tmp_path_factory.mktemp("explained")
    process = AuthcenterProcess(directory)
    process.policy_file.write_text(POLICY)
    console = Console(directory)
    console.environment = {name: value for name, value in process.environment.items() if name.startswith("AUTHCENTER_")}
    running = serving(process)
    service = next(running)
    clients = [
        service.operator.client(
            name,
            *_GRANTS,
            scopes=["orders.read", "openid"],
            audiences=[AUDIENCE],
            serves=[AUDIENCE],
            redirect_uris=[CALLBACK],
            first_party=True,
        )
        for name in ("shop", "other")
    ]
    user = service.operator.user(USER)
    service.api.secrets |= {PASSWORD, *(str(client.secret) for client in clients)}
    with Browser(process.url) as browser:
        made = Site(service, console, browser, *clients, user.subject)
        made.heard(browser.session)
        made.signed_in()
        yield made
    # Stops it, and sees that no secret is left in its log or record.
    next(running, None)


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """The libraries insist on TLS, which is not what is tried here."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
