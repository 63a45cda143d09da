"""What instances share, joined over Redis. Imported only where there is one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from authcenter.core.clock import Clock
from authcenter.core.derived import SealingKeys
from authcenter.settings.boot import BootSettings
from authcenter.stores.fallback.job_queue import FallbackJobQueue
from authcenter.stores.fallback.shared import (
    FallbackRateCounters,
    FallbackReplayCache,
    FallbackWakeUps,
)
from authcenter.stores.memory.shared import MemoryRateCounters
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.entries import RedisEntries
from authcenter.stores.redis.job_queue import RedisJobQueue
from authcenter.stores.redis.limits import RedisRateCounters
from authcenter.stores.redis.replay import RedisReplayCache
from authcenter.stores.redis.revocation import RedisRevocations
from authcenter.stores.redis.wake_ups import RedisWakeUps
from authcenter.stores.sql.counters import SqlRateCounters
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.replay import SqlReplayCache
from authcenter.telemetry.tracing import Tracing
from authcenter.tokens.announcing import Announcer
from authcenter.wiring.shared import Shared, Spread


@asynccontextmanager
async def open_shared_over_redis(
    settings: BootSettings, database: Database, clock: Clock, tracing: Tracing | None, redis_seconds: float | None
) -> AsyncIterator[Shared]:
    """As ``open_shared``."""
    async with AsyncExitStack() as stack:
        redis = RedisConnection(settings.redis_url, tracing=tracing, answer_seconds=redis_seconds)
        stack.push_async_callback(redis.close)
        wake_ups = RedisWakeUps(redis, settings.redis_url)
        stack.push_async_callback(wake_ups.close)
        jobs = RedisJobQueue(redis, settings.redis_url)
        stack.push_async_callback(jobs.close)
        revocations = RedisRevocations(redis, settings.redis_url, clock, answer_seconds=redis_seconds)
        stack.push_async_callback(revocations.close)
        counters = RedisRateCounters(redis)
        yield Shared(
            replay=FallbackReplayCache(RedisReplayCache(redis), SqlReplayCache(database), clock),
            login_counters=FallbackRateCounters(counters, SqlRateCounters(database)),
            token_counters=FallbackRateCounters(counters, MemoryRateCounters(clock)),
            wake_ups=FallbackWakeUps(wake_ups),
            jobs=FallbackJobQueue(jobs),
            entries=RedisEntries(redis, SealingKeys.derive(settings.secret_keys, "cache entry")),
            redis=redis,
            spread=Spread(revocations, Announcer(revocations)),
        )
