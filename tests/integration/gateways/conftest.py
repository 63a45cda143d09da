"""An API behind each gateway that the tests can run, and an authcenter that all of them ask."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.gateways.behind import API, POLICY, Front
from tests.integration.service.api import Credentials
from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.echo import EchoApi
from tests.servers.haproxy import HaproxyServer
from tests.servers.nginx import NginxServer

Make = Callable[..., NginxServer | HaproxyServer]

GATEWAYS: dict[str, Make] = {"nginx": NginxServer, "haproxy": HaproxyServer}


def authcenter_in(directory: Path) -> AuthcenterProcess:
    """One that trusts the gateways' word and knows the gateway ``shop``."""
    process = AuthcenterProcess(directory, settings={"AUTHCENTER_TRUSTED_PROXIES": "127.0.0.1/32"})
    process.policy_file.write_text(POLICY)
    return process


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    yield from serving(authcenter_in(tmp_path_factory.mktemp("asked")))


@pytest.fixture(scope="session")
def echo() -> Iterator[EchoApi]:
    with EchoApi() as api:
        yield api


@pytest.fixture(scope="session", params=GATEWAYS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which program the gateway is."""
    return str(request.param)


@pytest.fixture(scope="session")
def front(kind: str, asked: Service, echo: EchoApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The gateway in front of the API."""
    address = f"127.0.0.1:{asked.process.port}"
    with GATEWAYS[kind](tmp_path_factory.mktemp(kind), authcenter=address, api=echo.address) as server:
        yield Front(server)


@pytest.fixture(scope="session")
def shopper(asked: Service) -> Credentials:
    """A client that may ask for tokens of the API with two scopes."""
    return asked.operator.client(
        "shopper", "client_credentials", "password", audiences=[API, "https://other.example"], scopes=["read", "write"]
    )
