"""What holds of Redis only: commands that are sent twice, entries that were tampered with, scripts that are gone."""

from datetime import timedelta
from uuid import uuid4

import pytest

from authcenter.core.derived import SealingKeys
from authcenter.settings.rate import Rate
from authcenter.stores.redis import limits, replay
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.entries import RedisEntries
from authcenter.stores.redis.keys import entry_key, replay_key
from authcenter.stores.redis.limits import RedisRateCounters
from tests.integration.shared.conftest import ROOT

LONG = timedelta(hours=1)
OTHER_ROOT = bytes(range(1, 33))


@pytest.fixture
def name() -> str:
    return str(uuid4())


def sealed_with(*roots: bytes) -> SealingKeys:
    return SealingKeys.derive(roots, "cache entry")


async def test_taking_that_is_sent_twice_counts_once(connection: RedisConnection, name: str) -> None:
    rate, counters = Rate(5, 3600), RedisRateCounters(connection)
    keys, arguments = limits._call(name, rate, 2)
    answers = [await connection.run(lambda client: limits._TAKE.run(client, keys, *arguments)) for _ in range(2)]
    assert answers[0] == answers[1]
    assert (await counters.take(name, rate)).remaining == 2
    keys, arguments = limits._call(name, rate, 1)
    for _ in range(2):
        await connection.run(lambda client: limits._GIVE_BACK.run(client, keys, *arguments))
    assert (await counters.take(name, rate)).remaining == 2


async def test_a_first_use_that_is_sent_twice_is_a_first_use_twice(connection: RedisConnection, name: str) -> None:
    keys = [replay_key("dpop", name)]
    uses = [
        await connection.run(lambda client, by=by: replay._USE.run(client, keys, by, 60_000)) for by in ("1", "1", "2")
    ]
    assert uses == [1, 1, 0]


async def test_scripts_that_the_server_has_lost_are_sent_anew(connection: RedisConnection, name: str) -> None:
    entries = RedisEntries(connection, sealed_with(ROOT))
    assert await entries.lease(name, "one", LONG)
    await connection.run(lambda client: client.script_flush())
    assert not await entries.lease(name, "two", LONG)


async def test_what_does_not_open_is_a_miss(connection: RedisConnection, name: str) -> None:
    entries = RedisEntries(connection, sealed_with(ROOT))
    await entries.lease(name, "one", LONG)
    await entries.put(name, b"value", LONG, "one")
    sealed = await connection.run(lambda client: client.get(entry_key(name)))
    assert b"value" not in sealed
    moved = f"{name} else"
    for written in (b"", b"value", sealed[:-1] + bytes([sealed[-1] ^ 1]), b"\0\0\0\0" + sealed[4:]):
        await connection.run(lambda client, text=written: client.set(entry_key(name), text, ex=60))
        assert await entries.get(name) is None
    await connection.run(lambda client: client.set(entry_key(moved), sealed, ex=60))
    assert await entries.get(moved) is None


async def test_entries_outlive_a_change_of_the_root_secret(connection: RedisConnection, name: str) -> None:
    before = RedisEntries(connection, sealed_with(ROOT))
    await before.lease(name, "one", LONG)
    await before.put(name, b"value", LONG, "one")
    assert await RedisEntries(connection, sealed_with(OTHER_ROOT, ROOT)).get(name) == b"value"
    assert await RedisEntries(connection, sealed_with(OTHER_ROOT)).get(name) is None


async def test_nothing_stays_in_redis_for_ever(connection: RedisConnection, name: str) -> None:
    await RedisRateCounters(connection).take(name, Rate(5, 60))
    entries = RedisEntries(connection, sealed_with(ROOT))
    await entries.lease(name, "one", LONG)
    await entries.put(name, b"value", LONG, "one")
    await entries.lease(name, "two", LONG)
    keys = [key async for key in connection.client.scan_iter(match="authcenter:*")]
    kept = [key for key in keys if b":wake:" not in key]
    assert kept
    assert all([await connection.client.pttl(key) > 0 for key in kept])
