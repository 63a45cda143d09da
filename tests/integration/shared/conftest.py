"""Every port of shared state on everything that implements it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from authcenter.core.clock import SystemClock
from authcenter.core.derived import SealingKeys
from authcenter.stores.memory.job_queue import MemoryJobQueue
from authcenter.stores.memory.shared import (
    MemoryEntries,
    MemoryRateCounters,
    MemoryReplayCache,
    MemoryWakeUps,
)
from authcenter.stores.ports.job_queue import JobQueue
from authcenter.stores.ports.shared import RateCounters, ReplayCache, SealedEntries, WakeUps
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.entries import RedisEntries
from authcenter.stores.redis.job_queue import RedisJobQueue
from authcenter.stores.redis.limits import RedisRateCounters
from authcenter.stores.redis.replay import RedisReplayCache
from authcenter.stores.redis.wake_ups import RedisWakeUps
from authcenter.stores.sql import database as database_limits
from authcenter.stores.sql.counters import SqlRateCounters
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.replay import SqlReplayCache
from authcenter.stores.sql.schema import upgrade_schema
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.redis_cluster import RedisCluster
from tests.servers.redis_sentinel import RedisBehindSentinel

REDIS = ("redis", "sentinel", "cluster")
SQL = ("sqlite", "postgres")
ROOT = bytes(range(32))
PATIENT_SECONDS = 10.0
"""For an answer: machines that run tests are slow, and what the product's own limit does is tested where it matters."""


@dataclass(frozen=True, slots=True)
class Shared:
    """All ports on one backend; SQL stands in for two of them only."""

    replay: ReplayCache
    counters: RateCounters
    entries: SealedEntries | None = None
    wake_ups: WakeUps | None = None
    jobs: JobQueue | None = None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def sentinel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisBehindSentinel]:
    with RedisBehindSentinel(tmp_path_factory.mktemp("sentinel")) as server:
        yield server


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    with RedisCluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture(scope="session")
def sql_urls() -> dict[str, str]:
    """By kind: the migrated databases that were asked for until now."""
    return {}


@pytest.fixture(params=["memory", *REDIS, *SQL])
async def everywhere(request: pytest.FixtureRequest) -> AsyncIterator[Shared]:
    """What has a fallback in SQL."""
    async for shared in _opened(request):
        yield shared


@pytest.fixture(params=["memory", *REDIS])
async def shared(request: pytest.FixtureRequest) -> AsyncIterator[Shared]:
    """What has none."""
    async for opened in _opened(request):
        yield opened


@pytest.fixture(params=REDIS)
async def connection(request: pytest.FixtureRequest) -> AsyncIterator[RedisConnection]:
    """Redis, in each of its forms."""
    opened = RedisConnection(redis_url(request, request.param), answer_seconds=PATIENT_SECONDS)
    yield opened
    await opened.close()


async def _opened(request: pytest.FixtureRequest) -> AsyncIterator[Shared]:
    if request.param == "memory":
        clock = SystemClock()
        yield Shared(
            MemoryReplayCache(clock),
            MemoryRateCounters(clock),
            MemoryEntries(clock),
            MemoryWakeUps(),
            MemoryJobQueue(),
        )
    elif request.param in SQL:
        with pytest.MonkeyPatch.context() as patched:
            for name in ("_POOL_WAIT_SECONDS", "_CONNECT_SECONDS"):
                patched.setattr(database_limits, name, PATIENT_SECONDS)
            database = Database(await _sql_url(request), statement_seconds=PATIENT_SECONDS)
        yield Shared(SqlReplayCache(database), SqlRateCounters(database))
        await database.close()
    else:
        async with AsyncExitStack() as stack:
            url = redis_url(request, request.param)
            connection = RedisConnection(url, answer_seconds=PATIENT_SECONDS)
            stack.push_async_callback(connection.close)
            wake_ups = RedisWakeUps(connection, url)
            stack.push_async_callback(wake_ups.close)
            jobs = RedisJobQueue(connection, url)
            stack.push_async_callback(jobs.close)
            yield Shared(
                RedisReplayCache(connection),
                RedisRateCounters(connection),
                RedisEntries(connection, SealingKeys.derive([ROOT], "cache entry")),
                wake_ups,
                jobs,
            )


def redis_url(request: pytest.FixtureRequest, kind: str) -> str:
    fixture = {"redis": "redis_server", "sentinel": "sentinel", "cluster": "cluster"}[kind]
    server: RedisServer | RedisBehindSentinel | RedisCluster = request.getfixturevalue(fixture)
    return server.url


async def _sql_url(request: pytest.FixtureRequest) -> str:
    urls: dict[str, str] = request.getfixturevalue("sql_urls")
    if request.param not in urls:
        if request.param == "sqlite":
            factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
            url = sqlite_url(factory.mktemp("shared"))
        else:
            server: PostgresServer = request.getfixturevalue("postgres_server")
            url = server.create_database()
        await migrate(url)
        urls[request.param] = url
    return urls[request.param]


def sqlite_url(directory: Path) -> str:
    return f"sqlite+aiosqlite:///{directory / 'authcenter.db'}"


async def migrate(url: str) -> None:
    """Bring a database to the newest schema."""
    database = Database(url)
    await upgrade_schema(database)
    await database.close()
