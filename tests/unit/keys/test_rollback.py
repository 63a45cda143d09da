"""Taking a key back, and standing still."""

from dataclasses import replace
from datetime import timedelta

import pytest

from authcenter.core.errors import Conflict, InvalidInput
from authcenter.core.event import EventKind
from authcenter.jose.algorithms import Alg
from authcenter.keys.ring import RETIREMENT, KeyState
from tests.workbench import Workbench

NOW, LATER = timedelta(0), timedelta(minutes=20)


def state(bench: Workbench, kid: str) -> KeyState:
    return bench.core.keys.ring.states[kid]


async def rotated(bench: Workbench, published_for: timedelta = NOW) -> str:
    bench.clock.advance(60)
    return (await bench.core.rotation.rotate(Alg.ES256, published_for, "tests")).kid


async def test_the_key_before_signs_again_at_once_and_every_token_stays_good(bench: Workbench) -> None:
    old = bench.signer.kid
    new = await rotated(bench)
    token = (await bench.ask("client_credentials")).access
    before, taken_back = await bench.core.rotation.roll_back(Alg.ES256, "tests")
    assert (before.kid, taken_back.kid, bench.signer.kid) == (old, new, old)
    assert state(bench, new) is KeyState.RETIRED
    assert await bench.active(token)
    assert bench.kinds() == [EventKind.KEY_CREATED, EventKind.KEY_ROLLED_BACK]
    assert bench.events[-1].context["signs"] == old
    # The next rotation goes on from there.
    newest = await rotated(bench)
    assert (bench.signer.kid, state(bench, old)) == (newest, KeyState.RETIRED)


async def test_a_key_that_never_signed_is_retired(bench: Workbench) -> None:
    old = bench.signer.kid
    new = await rotated(bench, LATER)
    await bench.core.rotation.roll_back(Alg.ES256, "tests")
    bench.clock.advance(LATER.total_seconds())
    await bench.core.keys.reload()
    assert (bench.signer.kid, state(bench, new)) == (old, KeyState.RETIRED)


async def test_one_can_go_back_more_than_one_step(bench: Workbench) -> None:
    kids = [bench.signer.kid, await rotated(bench), await rotated(bench)]
    await bench.core.rotation.roll_back(Alg.ES256, "tests")
    assert bench.signer.kid == kids[1]
    await bench.core.rotation.roll_back(Alg.ES256, "tests")
    assert bench.signer.kid == kids[0]
    with pytest.raises(Conflict, match="no key before"):
        await bench.core.rotation.roll_back(Alg.ES256, "tests")


async def test_there_must_be_a_key_to_take_back(bench: Workbench) -> None:
    with pytest.raises(Conflict, match="no key of RS256"):
        await bench.core.rotation.roll_back(Alg.RS256, "tests")


async def test_a_revoked_key_does_not_come_back_nor_is_it_stepped_over(bench: Workbench) -> None:
    await rotated(bench)
    leaked = bench.signer.kid
    bench.clock.advance(60)
    await bench.core.rotation.revoke(leaked, "leaked", "tests")
    with pytest.raises(Conflict, match=f"{leaked}.*is revoked"):
        await bench.core.rotation.roll_back(Alg.ES256, "tests")


async def test_a_dropped_key_does_not_come_back(bench: Workbench) -> None:
    old = bench.signer.kid
    await rotated(bench)
    superseded_at = bench.clock.now()
    bench.clock.at += RETIREMENT
    with pytest.raises(Conflict, match=f"{old}.*is dropped"):
        await bench.core.rotation.roll_back(Alg.ES256, "tests")
    assert await bench.core.rotation.drop(old, superseded_at, "tests")
    assert not await bench.core.rotation.drop(old, superseded_at, "tests")
    assert bench.record.tables.keys[old].private_pem == ""
    await bench.core.keys.reload()
    with pytest.raises(Conflict, match="dropped"):
        await bench.core.rotation.roll_back(Alg.ES256, "tests")
    assert bench.kinds()[-1] == EventKind.KEY_DROPPED


async def test_a_key_that_nobody_here_can_open_does_not_come_back(bench: Workbench) -> None:
    old = bench.signer.kid
    await rotated(bench)
    bench.record.tables.keys[old] = replace(bench.record.tables.keys[old], private_pem="locked by somebody else")
    fresh = bench.another_core()
    with pytest.raises(Conflict, match=f"no passphrase here opens {old}"):
        await fresh.rotation.roll_back(Alg.ES256, "tests")


async def test_a_dropped_key_stays_dropped_when_its_successor_is_revoked(bench: Workbench) -> None:
    old = bench.signer.kid
    new = await rotated(bench)
    superseded_at = bench.clock.now()
    bench.clock.at += RETIREMENT
    await bench.core.rotation.drop(old, superseded_at, "tests")
    await bench.core.rotation.revoke(new, "leaked", "tests")
    assert state(bench, old) is KeyState.DROPPED
    assert old.encode() not in bench.core.keys.ring.jwks
    assert old in bench.core.keys.ring.keys


async def test_a_pause_stands_until_it_lapses_or_is_ended(bench: Workbench) -> None:
    brake, now = bench.core.brake, bench.clock.now()
    assert await brake.standing() is None
    with pytest.raises(Conflict, match="not paused"):
        await brake.resume("tests")
    with pytest.raises(InvalidInput, match="over already"):
        await brake.pause(now, "tests")
    made = await brake.pause(now + LATER, "tests")
    assert await brake.standing() == made
    assert await brake.pause(None, "tests") == await brake.standing()
    await brake.resume("tests")
    assert await brake.standing() is None
    await brake.pause(now + LATER, "tests")
    bench.clock.at += LATER
    assert await brake.standing() is None
    paused, resumed = EventKind.KEY_ROTATION_PAUSED, EventKind.KEY_ROTATION_RESUMED
    assert bench.kinds() == [paused, paused, resumed, paused]
