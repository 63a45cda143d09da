"""A Redis of each test's own, and instances over it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from authcenter.stores.sql.database import Database
from authcenter.stores.sql.schema import upgrade_schema
from tests.integration.spread.instances import Fleet, fleet
from tests.servers.redis import RedisServer


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """To be killed, frozen and emptied."""
    with RedisServer(tmp_path / "redis") as server:
        yield server
        server.thaw()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated record, to be copied: no test is about migrations."""
    path = tmp_path_factory.mktemp("migrated") / "authcenter.db"

    async def migrate() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await upgrade_schema(database)
        await database.close()

    asyncio.run(migrate())
    return path


@pytest.fixture
def record(migrated: Path, tmp_path: Path) -> Path:
    """The directory of a record of the test's own."""
    shutil.copy(migrated, tmp_path)
    return tmp_path


@pytest.fixture
async def ships(record: Path, redis: RedisServer) -> AsyncIterator[Fleet]:
    """A fleet with the default policy."""
    async with fleet(record, redis) as made:
        yield made


@pytest.fixture
async def strict_ships(record: Path, redis: RedisServer) -> AsyncIterator[Fleet]:
    """A fleet whose policy asks Redis at every validation."""
    async with fleet(record, redis, "revocation: {mode: strict}") as made:
        yield made
