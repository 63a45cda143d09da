"""Cache entries in Redis, sealed: whoever can write to Redis can make nobody believe anything."""

from datetime import timedelta

from authcenter.core.derived import SealingKeys
from authcenter.stores.ports.shared import SealedEntries
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.keys import entry_key, lease_key
from authcenter.stores.redis.scripts import Script, milliseconds

# Each load takes one of its own; who asks for it once more (sent twice) has it.
_LEASE = Script("""
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""")

_GIVE_UP = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
""")

_PUT = Script("""
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
""")


class RedisEntries(SealedEntries):
    """An entry and, while somebody fills it, a lease beside it."""

    def __init__(self, connection: RedisConnection, sealing: SealingKeys) -> None:
        self._connection, self._sealing = connection, sealing

    async def get(self, key: str) -> bytes | None:
        name = entry_key(key)
        sealed = await self._connection.run(lambda client: client.get(name))
        return None if sealed is None else self._sealing.open(sealed, name.encode())

    async def lease(self, key: str, holder: str, lasts: timedelta) -> bool:
        keys = [lease_key(key)]
        return bool(await self._connection.run(lambda client: _LEASE.run(client, keys, holder, milliseconds(lasts))))

    async def put(self, key: str, value: bytes, lives: timedelta, holder: str) -> bool:
        name = entry_key(key)
        sealed, keys = self._sealing.seal(value, name.encode()), [name, lease_key(key)]
        put = self._connection.run(lambda client: _PUT.run(client, keys, holder, sealed, milliseconds(lives)))
        return bool(await put)

    async def give_up(self, key: str, holder: str) -> None:
        await self._connection.run(lambda client: _GIVE_UP.run(client, [lease_key(key)], holder))

    async def remove(self, key: str) -> None:
        await self._connection.run(lambda client: client.delete(entry_key(key), lease_key(key)))
