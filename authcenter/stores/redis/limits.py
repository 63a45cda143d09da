"""Slots per key and time in Redis: GCRA by the server's clock, as ``stores.slots`` computes it."""

from authcenter.core.ids import uuid7
from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import RateCounters, Taken
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.keys import counter_key, operation_key
from authcenter.stores.redis.scripts import Script

_RECENT_MILLISECONDS = 2_000
_MICROSECONDS = 1_000_000

# KEYS: the instant at which all slots are free again; the answer to this operation, for who asks once more.
# ARGV: limit, period in microseconds, slots, for how many milliseconds an answer is kept.
_TAKE = Script("""
local answered = redis.call('GET', KEYS[2])
if answered then return cjson.decode(answered) end
local limit, period, slots = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local each = period / limit
local slack = each / 1000 + 1
local start = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local after = start + slots * each
local allowed = after - now <= period + slack
local full = allowed and after or start
if allowed then
    redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.max(1, math.ceil((after - now) / 1000)))
end
local left = math.max(0, math.min(limit, math.floor((now + period - full + slack) / each)))
local wait = allowed and 0 or math.ceil(after - now - period)
local answer = {allowed and 1 or 0, left, wait, math.ceil(full - now)}
redis.call('SET', KEYS[2], cjson.encode(answer), 'PX', ARGV[4])
return answer
""")

_GIVE_BACK = Script("""
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[4]) then return 0 end
local held = tonumber(redis.call('GET', KEYS[1]) or 0)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local full = held - ARGV[3] * ARGV[2] / ARGV[1]
if full <= now then
    redis.call('DEL', KEYS[1])
else
    redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
end
return 1
""")


class RedisRateCounters(RateCounters):
    """One key a counter, gone when all its slots are free; each operation leaves its answer for 2 s."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection

    async def take(self, key: str, rate: Rate, slots: int = 1) -> Taken:
        keys, arguments = _call(key, rate, slots)
        allowed, left, wait, reset = await self._connection.run(lambda client: _TAKE.run(client, keys, *arguments))
        return Taken(bool(allowed), int(left), wait / _MICROSECONDS, reset / _MICROSECONDS)

    async def give_back(self, key: str, rate: Rate, slots: int = 1) -> None:
        keys, arguments = _call(key, rate, slots)
        await self._connection.run(lambda client: _GIVE_BACK.run(client, keys, *arguments))


def _call(key: str, rate: Rate, slots: int) -> tuple[list[str], tuple[int, ...]]:
    keys = [counter_key(key), operation_key(key, uuid7())]
    return keys, (rate.limit, rate.per_seconds * _MICROSECONDS, slots, _RECENT_MILLISECONDS)
