"""Redis killed, frozen and emptied: what falls back, to what, and what is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from authcenter.core.clock import SystemClock
from authcenter.core.job import Job
from authcenter.settings.rate import Rate
from authcenter.stores.sql.database import Database
from authcenter.wiring.shared import Shared, open_shared
from tests.integration.shared.conftest import migrate, sqlite_url
from tests.servers.redis import RedisServer
from tests.workbench import settings

LONG, SHORT = timedelta(hours=1), timedelta(milliseconds=30)
RATE = Rate(3, 3600)
HANG_SECONDS = 90


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One that a test may kill."""
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
async def shared(redis: RedisServer, tmp_path: Path) -> AsyncIterator[Shared]:
    url = sqlite_url(tmp_path)
    await migrate(url)
    database = Database(url)
    async with open_shared(settings(REDIS_URL=redis.url), database, SystemClock(), redis_seconds=2.0) as opened:
        yield opened
    await database.close()


async def back(shared: Shared) -> None:
    """Wait until Redis is used again."""
    assert shared.redis is not None
    async with asyncio.timeout(HANG_SECONDS):
        while shared.redis.breaker.open:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("gone", ["killed", "frozen"])
async def test_everything_goes_on_without_redis(shared: Shared, redis: RedisServer, gone: str) -> None:
    told: list[tuple[bool, bool]] = []
    assert shared.redis is not None
    shared.redis.subscribe(lambda up, hint: told.append((up, bool(hint))))
    await shared.redis.check()
    redis.kill() if gone == "killed" else redis.freeze()

    assert await shared.replay.first_use("dpop", "a", LONG)
    assert not await shared.replay.first_use("dpop", "a", LONG)
    for counters in (shared.login_counters, shared.token_counters):
        assert [(await counters.take("k", RATE)).allowed for _ in range(4)] == [True, True, True, False]
        await counters.give_back("k", RATE)
        assert (await counters.take("k", RATE)).allowed
    await shared.announce([("client", "app")])
    assert not await shared.wake_ups.wait("changes", SHORT)
    await shared.jobs.push([Job("mail", {})])
    assert await shared.jobs.pop(["mail"], SHORT) is None

    redis.restart() if gone == "killed" else redis.thaw()
    await back(shared)
    # What was used in the meantime stays used.
    assert not await shared.replay.first_use("dpop", "a", LONG)
    # Why it is gone is told with it.
    assert told == [(True, False), (False, True), (True, False)]


async def test_an_emptied_redis_is_filled_anew(shared: Shared, redis: RedisServer) -> None:
    for _ in range(RATE.limit):
        assert (await shared.login_counters.take("k", RATE)).allowed
    redis.restart_empty()
    assert shared.redis is not None
    await shared.redis.check()
    await back(shared)
    assert (await shared.login_counters.take("k", RATE)).allowed
    await shared.wake_ups.wake("changes")
    waiting = asyncio.create_task(shared.wake_ups.wait("changes", LONG))
    async with asyncio.timeout(HANG_SECONDS):
        while not waiting.done():
            await shared.wake_ups.wake("changes")
            await asyncio.sleep(0.02)
