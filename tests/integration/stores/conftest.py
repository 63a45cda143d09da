"""Every port on every backend, each test on a record of its own."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from authcenter.core.event import Event
from authcenter.stores.sql import database as database_limits
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.schema import upgrade_schema
from tests.integration.stores.backends import Stores, memory_stores, new_memory_record, sql_stores, sqlite_url
from tests.servers.postgres import PostgresServer

PATIENT_SECONDS = 30.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine and its disk are: what the limits do is tested where they matter."""
    for name in ("_POOL_WAIT_SECONDS", "_CONNECT_SECONDS"):
        monkeypatch.setattr(database_limits, name, PATIENT_SECONDS)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> str:
    """Name of a migrated database, to be copied."""
    url = postgres_server.create_database()
    _migrate(url)
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    _migrate(sqlite_url(path))
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "empty.db")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def record_url(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """A migrated database; None: memory."""
    return None if request.param == "memory" else _migrated_copy(request, request.param, tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database, on each kind in turn."""
    return _migrated_copy(request, request.param, tmp_path)


@pytest.fixture
async def processes(record_url: str | None) -> AsyncIterator[tuple[Stores, Stores]]:
    """The stores of two processes on one record."""
    async with AsyncExitStack() as stack:
        if record_url is None:
            counted: list[Event] = []
            record = new_memory_record(counted)
            yield memory_stores(record, counted), memory_stores(record, counted)
            return
        databases = [Database(record_url, statement_seconds=PATIENT_SECONDS) for _ in range(2)]
        for database in databases:
            stack.push_async_callback(database.close)
        yield sql_stores(databases[0]), sql_stores(databases[1])


@pytest.fixture
def stores(processes: tuple[Stores, Stores]) -> Stores:
    return processes[0]


def _migrated_copy(request: pytest.FixtureRequest, kind: str, directory: Path) -> str:
    if kind == "sqlite":
        return sqlite_url(Path(shutil.copy(request.getfixturevalue("migrated_sqlite"), directory / "authcenter.db")))
    template: str = request.getfixturevalue("migrated_postgres")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database(template=template)


def _migrate(url: str) -> None:
    async def migrate() -> None:
        database = Database(url)
        await upgrade_schema(database)
        await database.close()

    asyncio.run(migrate())
