"""Wake-ups over Redis: a stream of one entry per queue, which works on a Cluster and survives a reconnect."""

import asyncio
from datetime import timedelta
from typing import Any

from authcenter.stores.ports.shared import WakeUps
from authcenter.stores.redis.connection import RedisConnection, close_client, open_client
from authcenter.stores.redis.keys import queue_key
from authcenter.stores.redis.scripts import milliseconds

_LONGEST_BLOCK = timedelta(seconds=5)
_ANSWER_SECONDS = _LONGEST_BLOCK.total_seconds() + 1


class RedisWakeUps(WakeUps):
    """Remembers per queue what it has seen: a wake-up between two waits is not missed."""

    def __init__(self, connection: RedisConnection, url: str) -> None:
        """``url``: for a client of its own, whose answers may take as long as one waits."""
        self._connection, self._blocking = connection, open_client(url, _ANSWER_SECONDS)
        self._seen: dict[str, Any] = {}

    async def close(self) -> None:
        await close_client(self._blocking)

    async def wake(self, queue: str) -> None:
        await self._connection.run(lambda client: client.xadd(queue_key(queue), {"w": ""}, maxlen=1, approximate=False))

    async def wait(self, queue: str, at_most: timedelta) -> bool:
        name, loop = queue_key(queue), asyncio.get_running_loop()
        until = loop.time() + at_most.total_seconds()
        if name not in self._seen:
            newest = await self._connection.run(lambda client: client.xrevrange(name, count=1))
            self._seen[name] = newest[0][0] if newest else "0-0"
        while True:
            block = milliseconds(min(timedelta(seconds=until - loop.time()), _LONGEST_BLOCK))
            answer = await self._read(name, block)
            if answer:
                self._seen[name] = answer[-1][0]
                return True
            if loop.time() >= until:
                return False

    async def _read(self, name: str, block: int) -> list[Any]:
        """The entries after the one last seen; none after ``block`` milliseconds without."""
        streams = {name: self._seen[name]}
        answer = await self._connection.run(lambda _: self._blocking.xread(streams, block=block))
        if not answer:
            return []
        # A dictionary of lists of lists under RESP3, a list of pairs under RESP2.
        if isinstance(answer, dict):
            return [entry for part in answer.values() for entries in part for entry in entries]
        return [entry for _, entries in answer for entry in entries]
