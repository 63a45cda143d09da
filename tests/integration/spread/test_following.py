"""The reader of the stream and the commands beside it agree on whether Redis is there."""

from collections.abc import AsyncIterator

import pytest

from authcenter.core.clock import SystemClock
from authcenter.core.errors import SharedStateUnavailable
from authcenter.core.ids import uuid7
from authcenter.stores.ports.spread import Epoch
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.revocation import RedisRevocations
from tests.servers.redis import RedisServer


@pytest.fixture
async def connection(redis: RedisServer) -> AsyncIterator[RedisConnection]:
    opened = RedisConnection(redis.url, answer_seconds=30)
    yield opened
    await opened.close()


async def test_what_is_read_while_commands_find_redis_gone_is_not_heard(
    connection: RedisConnection, redis: RedisServer
) -> None:
    revocations = RedisRevocations(connection, redis.url, SystemClock())
    try:
        await revocations.begin(Epoch(8, uuid7()))
        position = await revocations.position()
        assert position is not None
        read = revocations._read

        async def read_while_a_command_fails(at: object) -> object:
            entries = await read(position)
            connection.breaker.open = True
            return entries

        revocations._read = read_while_a_command_fails  # type: ignore[method-assign, assignment]
        with pytest.raises(SharedStateUnavailable):
            await revocations.follow(position)
        connection.breaker.open = False
        revocations._read = read  # type: ignore[method-assign]
        assert (await revocations.follow(position)).position == position
    finally:
        await revocations.close()


async def test_listeners_are_told_once_and_why(redis: RedisServer, connection: RedisConnection) -> None:
    told: list[tuple[bool, str]] = []
    connection.subscribe(lambda up, hint: told.append((up, hint)))
    await connection.check()
    redis.kill()
    await connection.check()
    await connection.check()
    assert [up for up, _ in told] == [True, False]
    assert told[0][1] == ""
    assert told[1][1].startswith("redis: ConnectionError: ")
