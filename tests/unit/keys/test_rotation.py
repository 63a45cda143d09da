"""What an operator does to keys, and what each act refuses."""

from datetime import timedelta

import pytest

from authcenter.core.errors import Conflict, InvalidInput, NotFound, StoreUnavailable
from authcenter.core.event import EventKind
from authcenter.core.rules import Rule
from authcenter.jose.algorithms import Alg
from authcenter.keys.ring import KeyState
from authcenter.keys.rotation import parse_alg
from tests.workbench import Workbench, rejected

NOW, LATER = timedelta(0), timedelta(minutes=20)


def state(bench: Workbench, kid: str) -> KeyState:
    return bench.core.keys.ring.states[kid]


async def test_a_rotation_publishes_ahead_and_takes_over_in_time(bench: Workbench) -> None:
    old = bench.signer.kid
    new = await bench.core.rotation.rotate(Alg.ES256, LATER, "tests")
    assert (state(bench, old), state(bench, new.kid)) == (KeyState.CURRENT, KeyState.NEXT)
    assert new.kid.encode() in bench.core.keys.ring.jwks
    before = (await bench.ask("client_credentials")).access
    bench.clock.advance(20 * 60)
    await bench.core.keys.reload()
    assert (state(bench, old), state(bench, new.kid)) == (KeyState.RETIRED, KeyState.CURRENT)
    after = (await bench.ask("client_credentials")).access
    held = [await bench.core.verifier.read_issued(token) for token in (before, after)]
    assert [token.kid for token in held] == [old, new.kid]
    assert bench.kinds() == [EventKind.KEY_CREATED]


async def test_a_rotation_now_signs_at_once_and_what_was_signed_stays_good(bench: Workbench) -> None:
    tokens = []
    for _ in range(10):
        tokens.append((await bench.ask("client_credentials")).access)
        await bench.core.rotation.rotate(Alg.ES256, NOW, "tests")
        bench.clock.advance(1)
    kids = {(await bench.core.verifier.read(token)).kid for token in tokens}
    assert len(kids) == 10


async def test_another_process_has_the_new_key_with_its_next_reload(bench: Workbench) -> None:
    other = bench.another_core()
    await other.keys.reload()
    version = other.keys.version
    await other.keys.reload()
    assert other.keys.version == version
    new = await bench.core.rotation.rotate(Alg.ES256, NOW, "tests")
    await other.keys.reload()
    assert other.keys.ring.signer("ES256").kid == new.kid
    assert other.keys.version == version + 1


async def test_a_state_that_changes_by_time_alone_is_seen_by_a_reload(bench: Workbench) -> None:
    new = await bench.core.rotation.rotate(Alg.ES256, LATER, "tests")
    bench.clock.advance(20 * 60)
    assert state(bench, new.kid) is KeyState.NEXT
    await bench.core.keys.reload()
    assert state(bench, new.kid) is KeyState.CURRENT


async def test_retiring(bench: Workbench) -> None:
    current = bench.signer.kid
    with pytest.raises(Conflict, match="rotate"):
        await bench.core.rotation.retire(current, "tests")
    new = await bench.core.rotation.rotate(Alg.ES256, LATER, "tests")
    await bench.core.rotation.retire(new.kid, "tests")
    assert state(bench, new.kid) is KeyState.RETIRED
    with pytest.raises(Conflict, match="retired already"):
        await bench.core.rotation.retire(new.kid, "tests")
    with pytest.raises(NotFound):
        await bench.core.rotation.retire("nobody", "tests")
    bench.clock.advance(20 * 60)
    await bench.core.keys.reload()
    assert bench.signer.kid == current
    assert bench.kinds() == [EventKind.KEY_CREATED, EventKind.KEY_RETIRED]


async def test_revoking_the_key_that_signs_has_a_successor_sign_at_once(bench: Workbench) -> None:
    token, leaked = (await bench.ask("client_credentials")).access, bench.signer.kid
    successor = await bench.core.rotation.revoke(leaked, "leaked", "tests")
    assert successor is not None
    assert bench.signer.kid == successor.kid
    assert leaked.encode() not in bench.core.keys.ring.jwks
    assert bench.record.tables.keys[leaked].private_pem == ""
    with rejected(Rule.TOKEN_KID):
        await bench.core.verifier.read(token)
    assert await bench.active((await bench.ask("client_credentials")).access)
    assert bench.kinds() == [EventKind.KEY_REVOKED, EventKind.KEY_CREATED]
    with pytest.raises(Conflict, match="revoked already"):
        await bench.core.rotation.revoke(leaked, "again", "tests")


async def test_a_process_that_has_the_key_still_hears_of_its_revocation_by_the_cut(bench: Workbench) -> None:
    other = bench.another_core()
    await other.keys.reload()
    await other.revocations.poll(8)
    token = (await bench.ask("client_credentials")).access
    await bench.core.rotation.revoke(bench.signer.kid, "leaked", "tests")
    assert await other.verifier.read(token)
    await other.revocations.poll(8)
    with rejected(Rule.TOKEN_REVOKED):
        await other.verifier.read(token)


async def test_revoking_a_key_that_does_not_sign_needs_no_successor(bench: Workbench) -> None:
    current = bench.signer.kid
    new = await bench.core.rotation.rotate(Alg.ES256, LATER, "tests")
    assert await bench.core.rotation.revoke(new.kid, "mistake", "tests") is None
    assert bench.signer.kid == current
    with pytest.raises(NotFound):
        await bench.core.rotation.revoke("nobody", "x", "tests")


async def test_every_algorithm_gets_a_key_once(bench: Workbench) -> None:
    await bench.core.rotation.ensure("tests")
    made = set(bench.record.tables.keys)
    assert {bench.core.keys.ring.keys[kid].alg for kid in made} == set(Alg)
    assert len(made) == 4
    await bench.core.rotation.ensure("tests")
    assert set(bench.record.tables.keys) == made


async def test_without_the_record_nothing_changes(bench: Workbench) -> None:
    ring = bench.core.keys.ring
    bench.board.down = True
    with pytest.raises(StoreUnavailable):
        await bench.core.rotation.rotate(Alg.ES256, NOW, "tests")
    with pytest.raises(StoreUnavailable):
        await bench.core.keys.reload()
    assert bench.core.keys.ring is ring


def test_algorithms_have_names() -> None:
    assert parse_alg("EdDSA") is Alg.EDDSA
    for name in ("none", "HS256", "es256", ""):
        with pytest.raises(InvalidInput):
            parse_alg(name)
