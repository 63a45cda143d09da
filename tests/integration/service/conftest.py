"""Running deployments that tests share, each test with clients and users of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.service.api import Api, until
from tests.integration.service.record import Operator
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.postgres import PostgresServer

_LEAST_SECRET = 12


@dataclass(frozen=True, slots=True)
class Service:
    """A process of the service, what asks it, and who operates it."""

    process: AuthcenterProcess
    api: Api
    operator: Operator


def serving(process: AuthcenterProcess) -> Iterator[Service]:
    """Start a process, and stop it afterwards; then see that nothing secret is left in its log or in the record."""
    with process, Api(process.url, process.ops_url, process.environment["AUTHCENTER_ISSUER"]) as api:
        service = Service(process, api, Operator(process.environment))
        yield service
        process.stop()
        assert_silent(service)


def assert_silent(service: Service) -> None:
    """No token, secret or password that was sent or received lies in the log or in the audit table."""
    said = service.process.log.read_text() + str(service.operator.rows("SELECT * FROM auth_audit"))
    told = {secret for secret in service.api.secrets if len(secret) >= _LEAST_SECRET and secret in said}
    assert not told, "in the log or the audit table"


def log_line(service: Service, request_id: str) -> dict[str, object]:
    """What the log says of a request."""
    found: list[dict[str, object]] = []

    def written() -> bool:
        lines = service.process.log.read_text().splitlines()
        found[:] = [json.loads(line) for line in lines if request_id in line and '"event":"request"' in line]
        return bool(found)

    until(written, f"a log line of request {request_id}")
    return found[0]


@contextmanager
def policy(service: Service, document: str) -> Iterator[None]:
    """Put a policy document in force while the block runs, and then the one before."""
    before = service.process.policy_file.read_text()
    _put_in_force(service, document)
    try:
        yield
    finally:
        _put_in_force(service, before)


def _put_in_force(service: Service, document: str) -> None:
    accepted = service.api.metric("authcenter_config_reload_total", outcome="accepted")
    service.process.policy_file.write_text(document)
    until(lambda: service.api.metric("authcenter_config_reload_total", outcome="accepted") > accepted, "a new policy")


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """On SQLite, with the default policy."""
    yield from serving(AuthcenterProcess(tmp_path_factory.mktemp("service")))


@pytest.fixture(scope="session")
def on_postgres(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """On PostgreSQL, with the default policy."""
    directory = tmp_path_factory.mktemp("on-postgres")
    yield from serving(AuthcenterProcess(directory, database_url=postgres_server.create_database()))


@pytest.fixture(scope="session")
def beside(on_postgres: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A second process on the database of ``on_postgres``."""
    yield from serving(on_postgres.process.sibling(tmp_path_factory.mktemp("beside")))


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Service:
    """The service on each database in turn."""
    name = "service" if request.param == "sqlite" else "on_postgres"
    found: Service = request.getfixturevalue(name)
    return found


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """For a process of the test's own."""
    return tmp_path / "authcenter"
