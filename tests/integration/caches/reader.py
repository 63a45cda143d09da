"""One process that asks its caches for clients, all at once, and tells how often it had to ask the record.

Reads a line per round from stdin, ``KEY TIMES``; answers with the number of loads until now and of values found.
"""

import asyncio
import sys

from authcenter.core.client import Client
from authcenter.core.clock import SystemClock
from authcenter.core.derived import SealingKeys
from authcenter.settings.policy import Policy, parse_policy
from authcenter.stores.cached.codec import RecordCodec
from authcenter.stores.cached.read_through import ReadThroughCache
from authcenter.stores.cached.second_level import SecondLevel
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.entries import RedisEntries
from authcenter.stores.sql.database import Database
from authcenter.wiring.record import sql_stores

_PATIENT_SECONDS = 10.0
# A query that takes as long as this under load: the others must not give up waiting for it.
_LOAD_SECONDS = 0.2


async def main(redis_url: str, database_url: str) -> None:
    redis, database, clock = (
        RedisConnection(redis_url, answer_seconds=_PATIENT_SECONDS),
        Database(database_url),
        SystemClock(),
    )
    store, loads = sql_stores(database, clock, lambda _: None).clients, 0
    policy: Policy = parse_policy("cache: {ttl: 2, negative_ttl: 2}", source="file")

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
        key, times = line.split()
        found = await asyncio.gather(*(cache.find(key) for _ in range(int(times))))
        print(loads, sum(one is not None for one in found), flush=True)
    await redis.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
