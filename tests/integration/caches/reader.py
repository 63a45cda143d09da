"""One process that asks its caches for clients, all at once, and tells how often it had to ask the record.

Reads a line per round from stdin, ``KEY TIMES SECONDS``, these by how many its clock is ahead;
answers with the number of loads until now and of values found.
"""

import asyncio
import sys
from datetime import datetime, timedelta

from authcenter.core.client import Client
from authcenter.core.clock import SystemClock
from authcenter.core.derived import SealingKeys
from authcenter.settings.policy import Policy, parse_policy
from authcenter.stores.cached import second_level
from authcenter.stores.cached.codec import RecordCodec
from authcenter.stores.cached.read_through import ReadThroughCache
from authcenter.stores.cached.second_level import SecondLevel
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.entries import RedisEntries
from authcenter.stores.sql.database import Database
from authcenter.wiring.record import sql_stores

_PATIENT_SECONDS = 30.0
_LOAD_SECONDS = 0.1
"""A query that takes long enough for all to ask meanwhile."""


class ClockAhead(SystemClock):
    """The time it will be in so many seconds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead)

    def seconds(self) -> float:
        return super().seconds() + self.ahead


async def main(redis_url: str, database_url: str) -> None:
    redis, database, clock = (
        RedisConnection(redis_url, answer_seconds=_PATIENT_SECONDS),
        Database(database_url),
        ClockAhead(),
    )
    # However slow the machine is, nobody is to give up waiting for who loads.
    second_level._LONGEST_WAIT_SECONDS = _PATIENT_SECONDS
    store, loads = sql_stores(database, clock, lambda _: None).clients, 0
    policy: Policy = parse_policy("cache: {negative_ttl: 60, lock_ttl: 60}", source="file")

    async def load(key: str) -> Client | None:
        nonlocal loads
        loads += 1
        await asyncio.sleep(_LOAD_SECONDS)
        return await store.find(key)

    entries = RedisEntries(redis, SealingKeys.derive([bytes(range(32))], "cache entry"))
    second = SecondLevel(entries, "client", RecordCodec(Client), lambda: policy, clock)
    cache = ReadThroughCache(load, lambda: policy, clock, lambda _: None, second=second)
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        key, times, ahead = line.split()
        clock.ahead = float(ahead)
        found = await asyncio.gather(*(cache.find(key) for _ in range(int(times))))
        print(loads, sum(one is not None for one in found), flush=True)
    await redis.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
