"""What the verifier remembers: nothing outlives the expiry, the key or the revocations it was checked against."""

import asyncio

import pytest

from authcenter.core.cut import Cut, CutKind
from authcenter.core.errors import StoreUnavailable
from authcenter.core.rules import Rule
from authcenter.jose.algorithms import Alg
from authcenter.tokens import verifier as module
from tests.forgery import GOOD, forged
from tests.workbench import START, Workbench, rejected, stored_key

READ = "keys.list_keys"


async def seen(bench: Workbench) -> str:
    token = (await bench.ask("client_credentials")).access
    first = await bench.core.verifier.read(token)
    assert await bench.core.verifier.read(token) is first
    return token


async def test_it_does_not_outlive_the_expiry(bench: Workbench) -> None:
    token = await seen(bench)
    bench.clock.advance(929)
    assert await bench.core.verifier.read(token)
    bench.clock.advance(1)
    with rejected(Rule.TOKEN_EXPIRED):
        await bench.core.verifier.read(token)


async def test_it_does_not_outlive_a_shorter_leeway(bench: Workbench) -> None:
    token = await seen(bench)
    bench.clock.advance(910)
    assert await bench.core.verifier.read(token)
    bench.offer("tokens: {leeway: 5}")
    with rejected(Rule.TOKEN_EXPIRED):
        await bench.core.verifier.read(token)


async def test_it_does_not_outlive_a_revocation_made_here(bench: Workbench) -> None:
    token = await seen(bench)
    await bench.revoke(token)
    with rejected(Rule.TOKEN_REVOKED):
        await bench.core.verifier.read(token)


async def test_it_does_not_outlive_a_revocation_made_elsewhere(bench: Workbench) -> None:
    token = await seen(bench)
    elsewhere = bench.another_core()
    await elsewhere.keys.reload()
    await elsewhere.revocations.poll(8)
    await elsewhere.revocations.revoke(await elsewhere.verifier.read(token), "tests", "tests")
    assert await bench.core.verifier.read(token)
    await bench.follow()
    with rejected(Rule.TOKEN_REVOKED):
        await bench.core.verifier.read(token)


CUTS = [pytest.param(kind, id=kind.value) for kind in CutKind]


@pytest.mark.parametrize("kind", CUTS)
async def test_it_does_not_outlive_a_cut(bench: Workbench, kind: CutKind) -> None:
    token = forged(bench.signer, {"sid": "session-1"})
    held = await bench.core.verifier.read(token)
    value = {
        CutKind.JTI: held.jti,
        CutKind.FAMILY: held.family,
        CutKind.SESSION: "session-1",
        CutKind.KEY: held.kid,
        CutKind.SUBJECT: held.subject,
        CutKind.CLIENT: held.client_id,
        CutKind.EVERYTHING: "",
    }[kind]
    await bench.core.revocations.cut([Cut(kind, f"{value}x", "tests"), Cut(kind, value, "tests")], "tests")
    await bench.core.revocations.poll(8)
    with rejected(Rule.TOKEN_REVOKED):
        await bench.core.verifier.read(token)


async def test_it_does_not_outlive_a_key_that_is_revoked(bench: Workbench) -> None:
    token = await seen(bench)
    await bench.core.rotation.revoke(bench.signer.kid, "leaked", "tests")
    with rejected(Rule.TOKEN_KID):
        await bench.core.verifier.read(token)


async def test_it_does_not_outlive_a_key_that_is_dropped(bench: Workbench) -> None:
    year = int(START.timestamp()) + 365 * 86_400
    token = forged(bench.signer, {"exp": year})
    assert await bench.core.verifier.read(token)
    await bench.core.rotation.rotate(Alg.ES256, bench.clock.now() - bench.clock.now(), "tests")
    bench.clock.advance(86_400)
    await bench.core.keys.reload()
    assert await bench.core.verifier.read(token)
    bench.clock.advance(3_601)
    await bench.core.keys.reload()
    with rejected(Rule.TOKEN_KID):
        await bench.core.verifier.read(token)


async def test_it_does_not_outlive_the_load_of_a_new_replica(bench: Workbench) -> None:
    token = await seen(bench)
    held = await bench.core.verifier.read(token)
    elsewhere = bench.another_core()
    await elsewhere.revocations.revoke(held, "tests", "tests")
    await bench.core.revocations.poll(4)
    with rejected(Rule.TOKEN_REVOKED):
        await bench.core.verifier.read(token)


async def test_what_did_not_hold_is_not_remembered(bench: Workbench) -> None:
    early = forged(bench.signer, {"nbf": GOOD["nbf"] + 100})
    with rejected(Rule.TOKEN_NOT_YET_VALID):
        await bench.core.verifier.read(early)
    bench.clock.advance(100)
    assert await bench.core.verifier.read(early)


async def test_what_is_remembered_is_bounded(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 50)
    tokens = [forged(bench.signer, {"jti": f"jti-{number}"}) for number in range(60)]
    for token in tokens:
        await bench.core.verifier.read(token)
    remembered = bench.core.verifier._seen
    assert list(remembered) == tokens[-50:]


async def test_an_unknown_kid_has_the_store_read_once_for_all_who_ask(bench: Workbench) -> None:
    new = stored_key(Alg.ES256, 1, START)
    bench.record.tables.keys[new.kid] = new
    elsewhere = bench.another_core()
    await elsewhere.keys.reload()
    tokens = [forged(elsewhere.keys.ring.signer("ES256"), {"jti": str(number)}) for number in range(20)]
    bench.board.asked.clear()
    held = await asyncio.gather(*(bench.core.verifier.read(token) for token in tokens))
    assert {token.kid for token in held} == {new.kid}
    assert bench.board.asked.count(READ) == 1


async def test_strangers_kids_have_the_store_read_at_most_once_a_second(bench: Workbench, waits: list[float]) -> None:
    bench.clock.advance(10)
    bench.board.asked.clear()
    for _ in range(3):
        tokens = [forged(bench.signer, header={"kid": f"kid-{number}"}) for number in range(20)]
        answers = await asyncio.gather(*(bench.core.verifier.read(token) for token in tokens), return_exceptions=True)
        assert {getattr(answer, "rule", None) for answer in answers} == {Rule.TOKEN_KID}
    assert waits == [1.0, 1.0]
    assert bench.board.asked.count(READ) == 3


async def test_a_store_that_cannot_say_whether_there_is_such_a_key_is_cannot_tell(
    bench: Workbench, waits: list[float]
) -> None:
    bench.clock.advance(10)
    known, unknown = forged(bench.signer), forged(bench.signer, header={"kid": "unknown"})
    bench.board.down = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await bench.core.verifier.read(unknown)
    assert await bench.core.verifier.read(known)
    bench.board.down = False
    with rejected(Rule.TOKEN_KID):
        await bench.core.verifier.read(unknown)


async def test_who_gives_up_waiting_for_a_key_does_not_end_the_wait_of_others(bench: Workbench) -> None:
    bench.clock.advance(10)
    new = stored_key(Alg.ES256, 1, START)
    elsewhere = bench.another_core()
    bench.record.tables.keys[new.kid] = new
    await elsewhere.keys.reload()
    token = forged(elsewhere.keys.ring.signer("ES256"))
    first, second = (asyncio.create_task(bench.core.verifier.read(token)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).kid == new.kid
    assert first.cancelled()
