"""``revocation.mode: strict``: Redis is asked at every validation, and either it or the replica may refuse."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis

from authcenter.core.digest import signing_input_digest
from authcenter.core.errors import TokenRejected
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from tests.forgery import forged
from tests.integration.spread.instances import Fleet, Instance, until


def signed(one: Instance) -> str:
    """An access token as this issuer makes them."""
    now = int(datetime.now(UTC).timestamp())
    lives = {"iat": now, "nbf": now, "exp": now + 900, "jti": os.urandom(8).hex()}
    return forged(one.core.keys.ring.signer("ES256"), {"iss": "http://127.0.0.1:8080", **lives})


async def accepts(one: Instance, text: str) -> bool:
    try:
        await one.core.verifier.read(text)
    except TokenRejected as rejected:
        if rejected.rule is Rule.TOKEN_REVOKED:
            return False
        raise
    return True


def key(text: str, width: int = 8) -> str:
    return f"revoked:{signing_input_digest(text)[:width].hex()}"


async def held(one: Instance, text: str) -> AccessToken:
    return await one.core.verifier.read_issued(text)


async def test_what_only_redis_knows_is_refused_also_for_a_token_seen_before(strict_ships: Fleet) -> None:
    (one,) = await strict_ships.instances(1)
    text = signed(one)
    assert await accepts(one, text)
    assert await accepts(one, text)
    strict_ships.client.set(key(text), 1)
    assert not await accepts(one, text)
    # It has been told once; the replica goes on knowing it.
    strict_ships.client.delete(key(text))
    assert not await accepts(one, text)


async def test_what_only_the_replica_knows_is_refused(strict_ships: Fleet) -> None:
    (one,) = await strict_ships.instances(1)
    text = signed(one)
    await one.revoke(await held(one, text))
    assert strict_ships.client.delete(key(text))
    assert not await accepts(one, text)


async def test_the_replica_mode_asks_nobody(ships: Fleet) -> None:
    (one,) = await ships.instances(1)
    text = signed(one)
    ships.client.set(key(text), 1)
    assert await accepts(one, text)
    one.offer("revocation: {mode: strict}")
    assert not await accepts(one, text)


async def test_look_ups_of_one_tick_are_one_command(strict_ships: Fleet) -> None:
    (one,) = await strict_ships.instances(1)
    texts = [signed(one) for _ in range(50)]
    dead = set(texts[::5])
    for text in dead:
        strict_ships.client.set(key(text), 1)
    before = mgets(strict_ships.client)
    answers = await asyncio.gather(*(accepts(one, text) for text in texts))
    assert {text for text, accepted in zip(texts, answers, strict=True) if not accepted} == dead
    assert mgets(strict_ships.client) == before + 1


def mgets(client: "Redis") -> int:
    stats: Any = client.info("commandstats")
    return int(stats.get("cmdstat_mget", {}).get("calls", 0))


async def test_who_gives_up_does_not_spoil_it_for_the_others(strict_ships: Fleet) -> None:
    (one,) = await strict_ships.instances(1)
    texts = [signed(one) for _ in range(3)]
    strict_ships.client.set(key(texts[2]), 1)
    asked = [asyncio.create_task(accepts(one, text)) for text in texts]
    await asyncio.sleep(0)
    asked[0].cancel()
    assert await asyncio.gather(*asked[1:]) == [True, False]


async def test_a_redis_in_another_epoch_is_not_believed(strict_ships: Fleet) -> None:
    """It may have forgotten: until everything was taught again the replica alone answers, and that is degraded."""
    (one,) = await strict_ships.instances(1)
    text = signed(one)
    await one.revoke(await held(one, text))
    # Nobody may teach it for now.
    strict_ships.client.set("revocations:repairer", "a stranger", ex=30)
    strict_ships.client.delete("revocations:epoch")
    await until(lambda: one.gauge("revocation_degraded") == 1, "it is degraded")
    assert not await accepts(one, text)
    assert await accepts(one, signed(one))
    strict_ships.client.delete("revocations:repairer")
    await until(lambda: one.following and one.gauge("revocation_degraded") == 0, "Redis is believed again")


@pytest.mark.parametrize("outage", ["kill", "freeze"])
async def test_without_redis_the_replica_answers(strict_ships: Fleet, outage: str) -> None:
    (one,) = await strict_ships.instances(1)
    dead, good = signed(one), signed(one)
    await one.revoke(await held(one, dead))
    getattr(strict_ships.redis, outage)()
    for _ in range(3):
        assert not await accepts(one, dead)
        assert await accepts(one, good)
    await until(lambda: one.gauge("revocation_degraded") == 1, "it is degraded")
    assert one.gauge("dependency_up", dependency="redis") == 0
