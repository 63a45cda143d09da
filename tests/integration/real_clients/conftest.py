"""authcenter as people run it: behind NGINX that ends TLS, under an https issuer."""

from collections.abc import Iterator

import pytest

from tests.integration.conformance.browser import Browser
from tests.integration.real_clients.behind_tls import BehindTls
from tests.integration.service.running import serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.certificates import self_signed
from tests.servers.ports import free_port
from tests.servers.tls_proxy import TlsProxy


@pytest.fixture(scope="session")
def behind_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BehindTls]:
    directory = tmp_path_factory.mktemp("behind-tls")
    pair, port = self_signed(directory / "certificate"), free_port()
    settings = {"AUTHCENTER_ISSUER": f"https://127.0.0.1:{port}", "AUTHCENTER_TRUSTED_PROXIES": "127.0.0.1/32"}
    process = AuthcenterProcess(directory / "authcenter", settings=settings)
    with TlsProxy(directory / "nginx", port=port, upstream=f"127.0.0.1:{process.port}", pair=pair):
        for service in serving(process):
            yield BehindTls.furnished(service, pair.certificate)


@pytest.fixture
def browser(behind_tls: BehindTls) -> Iterator[Browser]:
    with behind_tls.browser() as browser:
        yield browser
