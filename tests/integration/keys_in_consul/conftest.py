"""Instances that share a record and a Consul; each test has a record and a prefix of its own."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from authcenter.stores.sql.database import Database
from authcenter.stores.sql.schema import upgrade_schema
from tests.integration.keys_in_consul.instances import Deployment, Instance
from tests.integration.stores.backends import Stores, sqlite_url
from tests.servers.consul import ConsulServer
from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="session")
def shared_consul(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsulServer]:
    with ConsulServer(tmp_path_factory.mktemp("consul")) as server:
        yield server


@pytest.fixture
def consul(tmp_path: Path) -> Iterator[ConsulServer]:
    """The test's own, to be killed."""
    with ConsulServer(tmp_path / "consul") as server:
        yield server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    _migrate(sqlite_url(path))
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> str:
    """Name of a migrated database, to be copied."""
    url = postgres_server.create_database()
    _migrate(url)
    return url.rpartition("/")[2]


@pytest.fixture
def deployment(shared_consul: ConsulServer, migrated: Path, tmp_path: Path) -> Deployment:
    """On SQLite."""
    return Deployment(shared_consul, sqlite_url(Path(shutil.copy(migrated, tmp_path / "authcenter.db"))), _prefix())


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, deployment: Deployment) -> Deployment:
    """On each database in turn."""
    if request.param == "sqlite":
        return deployment
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create_database(template=request.getfixturevalue("migrated_postgres"))
    return replace(deployment, database_url=url)


@pytest.fixture
async def processes(either: Deployment, tmp_path: Path) -> AsyncIterator[tuple[Stores, Stores]]:
    """For the conformance suite: the stores of two processes, whose keys are in Consul."""
    async with AsyncExitStack() as stack:
        pair = [await stack.enter_async_context(Instance(either, tmp_path / name)) for name in ("one", "two")]
        yield pair[0].stores, pair[1].stores


@pytest.fixture
def stores(processes: tuple[Stores, Stores]) -> Stores:
    return processes[0]


@pytest.fixture
async def instance(deployment: Deployment, tmp_path: Path) -> AsyncIterator[Instance]:
    async with Instance(deployment, tmp_path / "one") as made:
        yield made


def _prefix() -> str:
    return f"authcenter/{secrets.token_hex(8)}"


def _migrate(url: str) -> None:
    async def migrate() -> None:
        database = Database(url)
        await upgrade_schema(database)
        await database.close()

    asyncio.run(migrate())
