"""Conformance of ``TotpStore``, ``RecoveryCodeStore`` and ``FactorStore``."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.ids import Subject
from authcenter.core.second_factor import Factor, TotpSecret
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import SOME_TIME, a_user, recorded

ADA, BOB = Subject("usr_ada"), Subject("usr_bob")
LATER = SOME_TIME + timedelta(minutes=5)
CODES = ["k.aa", "k.bb", "k.cc"]
BEGUN = TotpSecret(ADA, b"\x00sealed\xff", SOME_TIME)


@pytest.fixture
async def people(stores: Stores) -> Stores:
    """Two, without second factors."""
    for subject in (ADA, BOB):
        user = a_user(subject, subject=subject)
        await stores.users.add(user, "hash", NO_CONSEQUENCES)
    return stores


async def enrolled(stores: Stores, begun: TotpSecret = BEGUN) -> TotpSecret:
    assert await stores.totp.put(begun)
    assert await stores.totp.confirm(begun, 10, LATER, CODES, NO_CONSEQUENCES)
    held = await stores.totp.find(begun.subject)
    assert held is not None
    return held


async def test_nobody_has_any(people: Stores) -> None:
    assert await people.totp.find(ADA) is None
    assert await people.recovery_codes.unspent(ADA) == []
    assert await people.factors.factors_of(ADA) == frozenset()


async def test_what_was_begun_counts_for_nothing(people: Stores) -> None:
    assert await people.totp.put(BEGUN)
    assert await people.totp.find(ADA) == BEGUN
    assert await people.factors.factors_of(ADA) == frozenset()
    assert not await people.totp.spend(BEGUN, 100, BEGUN.sealed)
    assert not await people.totp.remove(ADA, recorded())
    assert not await people.recovery_codes.replace(ADA, CODES, LATER, recorded())
    assert await people.proven_rows() == []


async def test_beginning_again_replaces_what_was_begun(people: Stores) -> None:
    again = TotpSecret(ADA, b"another", LATER)
    assert await people.totp.put(BEGUN)
    assert await people.totp.put(again)
    assert await people.totp.find(ADA) == again
    assert not await people.totp.confirm(BEGUN, 10, LATER, CODES, recorded())
    assert await people.recovery_codes.unspent(ADA) == []
    assert await people.proven_rows() == []


async def test_confirming_it_keeps_the_codes_too(people: Stores) -> None:
    assert await people.totp.put(BEGUN)
    assert await people.totp.confirm(BEGUN, 10, LATER, CODES, recorded())
    assert await people.totp.find(ADA) == TotpSecret(ADA, BEGUN.sealed, SOME_TIME, LATER, 10)
    assert await people.recovery_codes.unspent(ADA) == CODES
    assert await people.factors.factors_of(ADA) == {Factor.TOTP}
    assert await people.factors.factors_of(BOB) == frozenset()
    assert len(await people.proven_rows()) == 1


async def test_what_is_confirmed_is_neither_replaced_nor_confirmed_again(people: Stores) -> None:
    held = await enrolled(people)
    assert not await people.totp.put(TotpSecret(ADA, b"another", LATER))
    assert not await people.totp.confirm(BEGUN, 11, LATER, ["k.dd"], recorded())
    assert await people.totp.find(ADA) == held
    assert await people.recovery_codes.unspent(ADA) == CODES


async def test_of_many_who_confirm_one_does(people: Stores) -> None:
    assert await people.totp.put(BEGUN)
    codes = [[f"k.{number}"] for number in range(5)]
    done = await asyncio.gather(*(people.totp.confirm(BEGUN, 10, LATER, each, recorded()) for each in codes))
    assert sorted(done) == [False, False, False, False, True]
    assert await people.recovery_codes.unspent(ADA) == codes[done.index(True)]
    assert len(await people.proven_rows()) == 1


async def test_a_step_is_spent_with_all_before_it(people: Stores) -> None:
    held = await enrolled(people)
    assert not await people.totp.spend(held, 10, held.sealed)
    assert await people.totp.spend(held, 12, held.sealed)
    for step in (10, 11, 12):
        assert not await people.totp.spend(held, step, held.sealed)
    assert await people.totp.spend(held, 13, held.sealed)


async def test_spending_keeps_the_secret_as_it_is_sealed_now(people: Stores) -> None:
    held = await enrolled(people)
    assert not await people.totp.spend(held, 10, b"anew")
    assert await people.totp.spend(held, 11, b"anew")
    assert await people.totp.find(ADA) == replace(held, sealed=b"anew", last_step=11)
    assert not await people.totp.spend(held, 12, held.sealed)


async def test_of_many_who_spend_a_step_one_does(processes: tuple[Stores, Stores], people: Stores) -> None:
    held = await enrolled(people)
    tries = [processes[number % 2].totp.spend(held, 11, held.sealed) for number in range(8)]
    assert sorted(await asyncio.gather(*tries)) == [False] * 7 + [True]


async def test_a_secret_that_was_replaced_spends_nothing(people: Stores) -> None:
    held = await enrolled(people)
    assert await people.totp.remove(ADA, NO_CONSEQUENCES)
    await enrolled(people, TotpSecret(ADA, b"another", LATER))
    assert not await people.totp.spend(held, 100, held.sealed)


async def test_with_the_last_factor_the_codes_go(people: Stores) -> None:
    await enrolled(people)
    await enrolled(people, TotpSecret(BOB, b"bob's", SOME_TIME))
    assert await people.totp.remove(ADA, recorded())
    assert await people.totp.find(ADA) is None
    assert await people.recovery_codes.unspent(ADA) == []
    assert not await people.totp.remove(ADA, recorded())
    assert await people.recovery_codes.unspent(BOB) == CODES
    assert len(await people.proven_rows()) == 1


async def test_new_codes_end_the_old_ones_the_spent_too(people: Stores) -> None:
    await enrolled(people)
    assert await people.recovery_codes.spend(ADA, "k.aa", LATER, NO_CONSEQUENCES)
    assert await people.recovery_codes.replace(ADA, ["k.aa", "k.new"], LATER, recorded())
    assert await people.recovery_codes.unspent(ADA) == ["k.aa", "k.new"]
    assert not await people.recovery_codes.spend(ADA, "k.bb", LATER, recorded())
    assert len(await people.proven_rows()) == 1


async def test_of_many_who_use_a_code_one_does(processes: tuple[Stores, Stores], people: Stores) -> None:
    await enrolled(people)
    await enrolled(people, TotpSecret(BOB, b"bob's", SOME_TIME))
    tries = [processes[number % 2].recovery_codes.spend(ADA, "k.bb", LATER, recorded()) for number in range(8)]
    assert sorted(await asyncio.gather(*tries)) == [False] * 7 + [True]
    assert await people.recovery_codes.unspent(ADA) == ["k.aa", "k.cc"]
    assert await people.recovery_codes.unspent(BOB) == CODES
    assert not await people.recovery_codes.spend(ADA, "k.nobody", LATER, recorded())
    assert len(await people.proven_rows()) == 1


@pytest.mark.parametrize("confirmed", [True, False])
async def test_all_end_at_once(people: Stores, confirmed: bool) -> None:
    assert not await people.factors.end_all(ADA, recorded())
    if confirmed:
        await enrolled(people)
    else:
        assert await people.totp.put(BEGUN)
    assert await people.factors.end_all(ADA, recorded())
    assert await people.totp.find(ADA) is None
    assert await people.recovery_codes.unspent(ADA) == []
    assert await people.factors.factors_of(ADA) == frozenset()
    assert not await people.factors.end_all(ADA, recorded())
    assert len(await people.proven_rows()) == 1
