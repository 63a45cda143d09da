"""A Redis of each test's own, and instances over it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from authcenter.stores.redis import connection
from tests.integration.spread.instances import Fleet, fleet
from tests.servers.redis import RedisServer

PATIENT_SECONDS = 2.0


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is slower than the product lets a Redis be, and what is not told in time is told otherwise."""
    for name in ("_ANSWER_SECONDS", "_CONNECT_SECONDS"):
        monkeypatch.setattr(connection, name, PATIENT_SECONDS)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """To be killed, frozen and emptied."""
    with RedisServer(tmp_path / "redis") as server:
        yield server
        server.thaw()


@pytest.fixture
async def ships(tmp_path: Path, redis: RedisServer) -> AsyncIterator[Fleet]:
    """A fleet with the default policy."""
    async with fleet(tmp_path, redis) as made:
        yield made


@pytest.fixture
async def strict_ships(tmp_path: Path, redis: RedisServer) -> AsyncIterator[Fleet]:
    """A fleet whose policy asks Redis at every validation."""
    async with fleet(tmp_path, redis, "revocation: {mode: strict}") as made:
        yield made
