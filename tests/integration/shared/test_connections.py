"""Connections: more commands at once than there are any, and those that were reset while nobody looked."""

import asyncio
from uuid import uuid4

import uvloop

from authcenter.stores.redis.connection import RedisConnection

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
