"""Redis killed, frozen, emptied, restarted empty, cut off: nothing acknowledged is missing anywhere afterwards."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from authcenter.core.token import AccessToken
from tests.integration.spread.instances import Fleet, Instance, all_refuse, token, until
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.long


def killed(redis: RedisServer) -> Callable[[], object]:
    redis.kill()
    return redis.start


def frozen(redis: RedisServer) -> Callable[[], object]:
    redis.freeze()
    return redis.thaw


def killed_and_emptied(redis: RedisServer) -> Callable[[], object]:
    redis.kill()
    return redis.restart_empty


OUTAGES = [
    pytest.param(killed, id="killed"),
    pytest.param(frozen, id="frozen"),
    pytest.param(killed_and_emptied, id="restarted empty"),
]


async def revoke_some(instances: list[Instance], number: int = 9) -> list[AccessToken]:
    tokens = [token(at) for at in range(number)]
    for at, one in enumerate(tokens):
        await instances[at % len(instances)].revoke(one)
    return tokens


@pytest.mark.parametrize("outage", OUTAGES)
async def test_nothing_acknowledged_before_during_or_after_an_outage_is_missing(
    ships: Fleet, outage: Callable[[RedisServer], Callable[[], object]]
) -> None:
    instances = await ships.instances(3)
    before = await revoke_some(instances)
    back = await asyncio.to_thread(outage, ships.redis)
    during = await revoke_some(instances)
    await all_refuse(instances, [*before, *during])
    assert all(one.gauge("revocation_degraded") == 0 for one in instances)
    for one in instances:
        await until(lambda one=one: not one.following, "the outage is seen")
    await asyncio.to_thread(back)
    after = await revoke_some(instances)
    for one in instances:
        await until(lambda one=one: one.following, "the stream is followed again")
    later = await revoke_some(instances)
    revoked = [*before, *during, *after, *later]
    await all_refuse(instances, revoked)
    # Redis itself has caught up too: what it could not be told, it was told later, or taught.
    keys = [f"revoked:{one.digest[:8].hex()}" for one in revoked]
    await until(lambda: ships.client.exists(*keys) == len(keys), "Redis knows every token")
    await all_refuse([await ships.instance()], revoked)


FORGOTTEN = [
    pytest.param(lambda client: client.flushall(), id="emptied"),
    pytest.param(lambda client: client.delete("revocations:epoch"), id="epoch missing"),
    pytest.param(lambda client: client.delete("revocations"), id="stream missing"),
    pytest.param(lambda client: client.set("revocations:epoch", "no epoch"), id="epoch unreadable"),
    pytest.param(lambda client: client.set("revocations:epoch", "8.another"), id="epoch changed"),
    pytest.param(lambda client: client.xtrim("revocations", maxlen=0, approximate=False), id="stream cut off"),
]


@pytest.mark.parametrize("forget", FORGOTTEN)
async def test_what_redis_forgets_is_loaded_again_and_taught(ships: Fleet, forget: Callable[[object], object]) -> None:
    instances = await ships.instances(2)
    revoked = await revoke_some(instances, 4)
    await all_refuse(instances, revoked)
    replicas = [one.replica for one in instances]
    forget(ships.client)
    for one, before in zip(instances, replicas, strict=True):
        await until(lambda one=one, before=before: one.replica is not before and one.following, "everything is loaded")
    more = await revoke_some(instances, 4)
    await all_refuse(instances, [*revoked, *more])
    keys = [f"revoked:{one.digest[:8].hex()}" for one in [*revoked, *more]]
    assert ships.client.exists(*keys) == len(keys)


async def test_a_gap_in_the_stream_has_everything_loaded(ships: Fleet) -> None:
    """More was announced, and trimmed, than an instance could read."""
    (other,) = await ships.instances(1)
    silent = await ships.instance(redis_url="", workers=False)
    follower = other.service.spreading[0]
    before, unheard = other.replica, token()
    await silent.revoke(unheard)
    for number in range(3):
        ships.client.xadd("revocations", {"kind": "client_id", "value": str(number)})
    ships.client.xtrim("revocations", maxlen=1, approximate=False)
    await until(lambda: other.replica is not before and other.following, "everything is loaded")
    assert other.refuses(unheard)
    assert follower._position is not None  # type: ignore[union-attr]


STRANGE = [
    pytest.param({"a": "b"}, id="no kind"),
    pytest.param({"kind": "token", "value": "not hex", "exp": "1"}, id="no digest"),
    pytest.param({"kind": "token", "value": "00", "exp": "1e300"}, id="no instant"),
    pytest.param({"kind": "sub", "value": "x", "up_to": "nan", "exp": "", "reason": ""}, id="not a number"),
    pytest.param({"kind": "sub", "value": "x"}, id="half a cut"),
    pytest.param({b"\xff": b"\xff"}, id="no text"),
]


@pytest.mark.parametrize("fields", STRANGE)
async def test_entries_that_say_nothing_are_passed_over(ships: Fleet, fields: dict[str, str]) -> None:
    one, other = await ships.instances(2)
    ships.client.xadd("revocations", fields)
    revoked = token()
    await one.revoke(revoked)
    await all_refuse([other], [revoked])
    assert other.following


async def test_one_instance_at_a_time_teaches(ships: Fleet) -> None:
    instances = await ships.instances(3)
    assert len({str(one.core.revocations.epoch) for one in instances}) == 1
    entries: Any = ships.client.xrange("revocations")
    assert sum(fields[b"kind"] == b"epoch" for _, fields in entries) == 1
