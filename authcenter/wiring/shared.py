"""State that instances share: Redis with its fallbacks, or the twin in this process where there is no Redis."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authcenter.core.clock import Clock
from authcenter.settings.boot import BootSettings
from authcenter.stores.cached.invalidation import ChangeAnnouncement
from authcenter.stores.memory.job_queue import MemoryJobQueue
from authcenter.stores.memory.shared import MemoryRateCounters, MemoryReplayCache, MemoryWakeUps
from authcenter.stores.ports.job_queue import JobQueue
from authcenter.stores.ports.shared import RateCounters, ReplayCache, SealedEntries, WakeUps
from authcenter.stores.sql.database import Database
from authcenter.telemetry.tracing import Tracing
from authcenter.tokens.announcing import Announcer

if TYPE_CHECKING:
    from authcenter.stores.redis.connection import RedisConnection
    from authcenter.stores.redis.revocation import RedisRevocations


@dataclass(frozen=True, slots=True)
class Spread:
    """How revocations reach other instances at once."""

    revocations: "RedisRevocations"
    announcer: Announcer


@dataclass(frozen=True, slots=True)
class Shared:
    """The ports, each with its fallback behind it.

    Attributes:
        login_counters: Counted in SQL while Redis is gone.
        token_counters: Counted per process while Redis is gone.
        entries: None without Redis: a process needs no second level for itself. Raises ``SharedStateUnavailable``.
        redis, spread: None without Redis.
    """

    replay: ReplayCache
    login_counters: RateCounters
    token_counters: RateCounters
    wake_ups: WakeUps
    jobs: JobQueue
    entries: SealedEntries | None = None
    redis: "RedisConnection | None" = None
    spread: Spread | None = None

    async def announce(self, changes: Sequence[tuple[str, str]]) -> None:
        """Tell the other processes, by kind and key, what this one has changed in the record. Raises nothing."""
        if self.entries is not None:
            await ChangeAnnouncement(self.entries, self.wake_ups).announce(changes)


def in_process_shared(clock: Clock) -> Shared:
    """For one process alone."""
    counters = MemoryRateCounters(clock)
    return Shared(MemoryReplayCache(clock), counters, counters, MemoryWakeUps(), MemoryJobQueue())


@asynccontextmanager
async def open_shared(
    settings: BootSettings,
    database: Database,
    clock: Clock,
    tracing: Tracing | None = None,
    redis_seconds: float | None = None,
) -> AsyncIterator[Shared]:
    """Nothing is connected before it is used.

    Args:
        database: Where to go on while Redis is gone.
        redis_seconds: How long Redis may take to answer; None: no longer than a request can wait.
    """
    if not settings.redis_url:
        yield in_process_shared(clock)
        return
    # redis-py loads half of OpenTelemetry where that is installed: only for who has a Redis.
    from authcenter.wiring.over_redis import open_shared_over_redis  # noqa: PLC0415

    async with open_shared_over_redis(settings, database, clock, tracing, redis_seconds) as shared:
        yield shared
