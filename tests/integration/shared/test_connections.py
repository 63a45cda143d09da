"""Connections: more commands at once than there are any, and those that were reset while nobody looked."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import uvloop
from redis.asyncio.cluster import RedisCluster

from authcenter.stores.redis.connection import RedisConnection
from tests.integration.shared.conftest import PATIENT_SECONDS, REDIS, redis_url

MANY = 300
LOOPS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


async def test_a_burst_of_commands_waits_for_its_turn_and_is_no_outage(connection: RedisConnection) -> None:
    told: list[bool] = []
    connection.subscribe(lambda up, _hint: told.append(up))
    # Each stays under way for a while, so that all of them are at once.
    nothing = str(uuid4())
    answers = await asyncio.gather(
        *(connection.run(lambda client: client.blpop([nothing], timeout=0.05)) for _ in range(MANY))
    )
    assert answers == [None] * MANY
    assert not told


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("redis", REDIS)
def test_connections_that_were_reset_are_opened_anew(
    redis: str, loop: Callable[[], asyncio.AbstractEventLoop], request: pytest.FixtureRequest
) -> None:
    url = redis_url(request, redis)

    async def commands_after_a_reset() -> list[bool]:
        told: list[bool] = []
        connection = RedisConnection(url, lambda up, _hint: told.append(up), answer_seconds=PATIENT_SECONDS)
        try:
            for _ in range(3):
                await asyncio.gather(*(connection.run(lambda client: client.get("some key")) for _ in range(8)))
                idle = idle_connections(connection.client)
                assert len(idle) > 1
                for one in idle:
                    # As where the server resets it: the loop has closed it, and the client is not told.
                    one._writer.transport.abort()
            await asyncio.gather(*(connection.run(lambda client: client.get("some key")) for _ in range(8)))
        finally:
            await connection.close()
        return told

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(commands_after_a_reset()) == []


def idle_connections(client: Any) -> list[Any]:
    if isinstance(client, RedisCluster):
        return [one for node in client.get_nodes() for one in node._connections if one.is_connected]
    return [*client.connection_pool._available_connections]
