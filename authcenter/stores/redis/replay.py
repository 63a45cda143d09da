"""What may be used once (DPoP proofs, RFC 9449 §11.1; assertions, RFC 7523 §3), remembered in Redis."""

from datetime import timedelta

from authcenter.core.ids import uuid7
from authcenter.stores.ports.shared import ReplayCache
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.keys import replay_key
from authcenter.stores.redis.scripts import Script, milliseconds

_USE = Script("""
local by = redis.call('GET', KEYS[1])
if by then return by == ARGV[1] and 1 or 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""")


class RedisReplayCache(ReplayCache):
    """One key a value, gone by itself. Without persistence a restarted Redis has forgotten them."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection

    async def first_use(self, kind: str, value: str, lives: timedelta) -> bool:
        # Named, so that a command that is sent once more does not find the value used by itself.
        operation, keys = uuid7(), [replay_key(kind, value)]
        answer = await self._connection.run(lambda client: _USE.run(client, keys, operation, milliseconds(lives)))
        return bool(answer)
