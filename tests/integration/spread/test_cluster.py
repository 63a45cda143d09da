"""The same over a Redis Cluster (one node that has all slots): no command may name keys of two slots."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import Redis

from tests.integration.spread.instances import Fleet, all_refuse, fleet, token, until
from tests.servers.ports import free_port
from tests.servers.redis import RedisServer


@pytest.fixture
async def clustered(record: Path) -> AsyncIterator[Fleet]:
    # The port of its own bus would lie 10,000 above, which may be none.
    options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    with RedisServer(record / "redis", options=options) as server:
        client = Redis(port=server.port)
        client.execute_command("CLUSTER ADDSLOTSRANGE 0 16383")
        await until(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok", "the cluster is up")
        async with fleet(record, server, "revocation: {mode: strict}") as made:
            yield made


async def test_revocations_spread_and_are_looked_up(clustered: Fleet) -> None:
    url = f"redis+cluster://127.0.0.1:{clustered.redis.port}"
    one, other = [await clustered.instance(redis_url=url) for _ in range(2)]
    for each in (one, other):
        await until(lambda each=each: each.following, "it follows the stream")
    revoked, good = [token(at) for at in range(20)], token(99)
    for at in revoked:
        await one.revoke(at)
    await all_refuse([other], revoked)
    known = await asyncio.gather(*(other.core.revocations.known_elsewhere(at) for at in [*revoked, good]))
    assert known == [True] * 20 + [False]
