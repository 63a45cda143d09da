"""State that instances share: Redis with its fallbacks, or the twin in this process where there is no Redis."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from authcenter.core.clock import Clock
from authcenter.core.derived import SealingKeys
from authcenter.settings.boot import BootSettings
from authcenter.stores.cached.invalidation import ChangeAnnouncement
from authcenter.stores.fallback.shared import (
    FallbackLocks,
    FallbackRateCounters,
    FallbackReplayCache,
    FallbackWakeUps,
)
from authcenter.stores.memory.shared import MemoryLocks, MemoryRateCounters, MemoryReplayCache, MemoryWakeUps
from authcenter.stores.ports.shared import Locks, RateCounters, ReplayCache, SealedEntries, WakeUps
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.entries import RedisEntries
from authcenter.stores.redis.limits import RedisRateCounters
from authcenter.stores.redis.locks import RedisLocks
from authcenter.stores.redis.replay import RedisReplayCache
from authcenter.stores.redis.wake_ups import RedisWakeUps
from authcenter.stores.sql.counters import SqlRateCounters
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.locks import SqlLocks
from authcenter.stores.sql.replay import SqlReplayCache
from authcenter.telemetry.tracing import Tracing


@dataclass(frozen=True, slots=True)
class Shared:
    """The ports, each with its fallback behind it.

    Attributes:
        login_counters: Counted in SQL while Redis is gone.
        token_counters: Counted per process while Redis is gone.
        entries: None without Redis: a process needs no second level for itself. Raises ``SharedStateUnavailable``.
        redis: None without Redis.
    """

    replay: ReplayCache
    locks: Locks
    login_counters: RateCounters
    token_counters: RateCounters
    wake_ups: WakeUps
    entries: SealedEntries | None = None
    redis: RedisConnection | None = None

    async def announce(self, changes: Sequence[tuple[str, str]]) -> None:
        """Tell the other processes, by kind and key, what this one has changed in the record. Raises nothing."""
        if self.entries is not None:
            await ChangeAnnouncement(self.entries, self.wake_ups).announce(changes)


def in_process_shared(clock: Clock) -> Shared:
    """For one process alone."""
    counters = MemoryRateCounters(clock)
    return Shared(MemoryReplayCache(clock), MemoryLocks(clock), counters, counters, MemoryWakeUps())


@asynccontextmanager
async def open_shared(
    settings: BootSettings, database: Database, clock: Clock, tracing: Tracing | None = None
) -> AsyncIterator[Shared]:
    """Nothing is connected before it is used. ``database``: where to go on while Redis is gone."""
    if not settings.redis_url:
        yield in_process_shared(clock)
        return
    async with AsyncExitStack() as stack:
        redis = RedisConnection(settings.redis_url, tracing=tracing)
        stack.push_async_callback(redis.close)
        wake_ups = RedisWakeUps(redis, settings.redis_url)
        stack.push_async_callback(wake_ups.close)
        counters = RedisRateCounters(redis)
        yield Shared(
            replay=FallbackReplayCache(RedisReplayCache(redis), SqlReplayCache(database), clock),
            locks=FallbackLocks(RedisLocks(redis), SqlLocks(database)),
            login_counters=FallbackRateCounters(counters, SqlRateCounters(database)),
            token_counters=FallbackRateCounters(counters, MemoryRateCounters(clock)),
            wake_ups=FallbackWakeUps(wake_ups),
            entries=RedisEntries(redis, SealingKeys.derive(settings.secret_keys, "cache entry")),
            redis=redis,
        )
