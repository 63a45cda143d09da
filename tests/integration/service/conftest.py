"""Running deployments that tests share, each test with clients and users of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.postgres import PostgresServer


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
