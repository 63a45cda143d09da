"""Locks in Redis: a key with the name of its holder, which lapses by itself."""

from datetime import timedelta

from authcenter.stores.ports.shared import Locks
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.keys import lock_key
from authcenter.stores.redis.scripts import HOLD, LET_GO, Script, milliseconds

_HOLD, _LET_GO = Script(HOLD), Script(LET_GO)


class RedisLocks(Locks):
    """On one server: a failover may forget a lock, which is why locks decide nothing."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection

    async def acquire(self, name: str, holder: str, lasts: timedelta) -> bool:
        keys = [lock_key(name)]
        return bool(await self._connection.run(lambda client: _HOLD.run(client, keys, holder, milliseconds(lasts))))

    async def release(self, name: str, holder: str) -> None:
        await self._connection.run(lambda client: _LET_GO.run(client, [lock_key(name)], holder))
