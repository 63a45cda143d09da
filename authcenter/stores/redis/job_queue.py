"""The queue of job ids in Redis: a list for each name, under one hash tag, so that one read waits for several."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from authcenter.core.job import Job
from authcenter.stores.ports.job_queue import JobQueue
from authcenter.stores.redis.connection import RedisConnection, close_client, open_client
from authcenter.stores.redis.keys import jobs_key
from authcenter.stores.redis.scripts import Script

_LONGEST_BLOCK_SECONDS = 5.0
_ANSWER_SECONDS = _LONGEST_BLOCK_SECONDS + 1
_MOST_WAITING = 1_000
_LIVES_SECONDS = 60

# KEYS: the list. ARGV: how many it keeps at most, for how many seconds, then the ids.
_PUSH = Script("""
for place = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[place]) end
redis.call('LTRIM', KEYS[1], -ARGV[1], -1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
""")


class RedisJobQueue(JobQueue):
    """Where nobody takes them ids are dropped, the oldest first: they would only wake somebody for nothing."""

    def __init__(self, connection: RedisConnection, url: str) -> None:
        """``url``: for a client of its own, whose answers may take as long as one waits."""
        self._connection, self._blocking = connection, open_client(url, _ANSWER_SECONDS)

    async def close(self) -> None:
        await close_client(self._blocking)

    async def push(self, jobs: Sequence[Job]) -> None:
        for name in sorted({job.name for job in jobs}):
            # No more than the list keeps: a script takes so many arguments and no more.
            ids = [job.job_id for job in jobs if job.name == name][-_MOST_WAITING:]
            await self._connection.run(partial(_push, jobs_key(name), ids))

    async def pop(self, names: Collection[str], at_most: timedelta) -> str | None:
        keys, loop = sorted(map(jobs_key, names)), asyncio.get_running_loop()
        until = loop.time() + at_most.total_seconds()
        while (left := until - loop.time()) > 0:
            # A few milliseconds at least: to Redis none means for ever.
            block = max(0.01, min(left, _LONGEST_BLOCK_SECONDS))
            answer = await self._connection.run(partial(self._take, keys, block))
            if answer:
                return bytes(answer[1]).decode()
        return None

    async def _take(self, keys: list[str], block: float, _: Any) -> Any:
        return await self._blocking.blpop(keys, timeout=block)


async def _push(key: str, ids: list[str], client: Any) -> None:
    await _PUSH.run(client, [key], _MOST_WAITING, _LIVES_SECONDS, *ids)
