"""Instances that share a record and a Consul; each test has a record and a prefix of its own."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from authcenter.stores.sql.database import Database
from authcenter.stores.sql.schema import upgrade_schema
from tests.integration.keys_in_consul.instances import Deployment, Instance
from tests.integration.stores.backends import Stores, sqlite_url
from tests.servers.consul import ConsulServer


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


@pytest.fixture
def deployment(shared_consul: ConsulServer, migrated: Path, tmp_path: Path) -> Deployment:
    """On SQLite."""
    return Deployment(shared_consul, sqlite_url(Path(shutil.copy(migrated, tmp_path / "authcenter.db"))), _prefix())


@pytest.fixture
async def processes(deployment: Deployment, tmp_path: Path) -> AsyncIterator[tuple[Stores, Stores]]:
    """For the conformance suite: the stores of two processes, whose keys are in Consul."""
    async with AsyncExitStack() as stack:
        pair = [await stack.enter_async_context(Instance(deployment, tmp_path / name)) for name in ("one", "two")]
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
