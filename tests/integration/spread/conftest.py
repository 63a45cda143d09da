"""A Redis of each test's own, and instances over it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.spread.instances import Fleet, fleet
from tests.servers.redis import RedisServer


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
