"""Conformance of ``PasskeyStore``."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.errors import Conflict
from authcenter.core.identity import Identity
from authcenter.core.ids import Subject
from authcenter.core.passkey import Added, Passkey
from authcenter.core.second_factor import Factor, TotpSecret
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import AWKWARD, SOME_TIME, a_user, recorded

ADA, BOB = Subject("usr_ada"), Subject("usr_bob")
LATER = SOME_TIME + timedelta(minutes=5)
CODES = ["k.aa", "k.bb"]
MANY = 20


def a_passkey(number: int = 1, **changes: Any) -> Passkey:
    made = Passkey(
        credential_id=b"\x00\xff" + bytes([number]),
        subject=ADA,
        public_key=b"\x00the key\xff",
        sign_count=0,
        transports=("internal", "hybrid"),
        aaguid="00000000-0000-0000-0000-000000000000",
        name=AWKWARD,
        backed_up=False,
        created_at=SOME_TIME + timedelta(seconds=number),
    )
    return replace(made, **changes)


@pytest.fixture
async def people(stores: Stores) -> Stores:
    """Two, without passkeys; a third one is disabled."""
    for subject in (ADA, BOB):
        await stores.users.add(a_user(subject, subject=subject, disabled_at=None), "hash", NO_CONSEQUENCES)
    gone = a_user("gone", subject=Subject("usr_gone"), disabled_at=SOME_TIME)
    await stores.users.add(gone, "hash", NO_CONSEQUENCES)
    return stores


async def added(stores: Stores, *passkeys: Passkey) -> None:
    for passkey in passkeys:
        assert (await stores.passkeys.add(passkey, [], MANY, NO_CONSEQUENCES)).done


async def test_nobody_has_any(people: Stores) -> None:
    assert await people.passkeys.find(b"unknown") is None
    assert await people.passkeys.list_of(ADA) == []


async def test_what_is_added_is_found_and_counts(people: Stores) -> None:
    newer = a_passkey(2, sign_count=2**32 - 1)
    assert await people.passkeys.add(a_passkey(), CODES, MANY, recorded()) == Added(True, True)
    await added(people, newer)
    assert await people.passkeys.find(a_passkey().credential_id) == a_passkey()
    assert await people.passkeys.list_of(ADA) == [a_passkey(), newer]
    assert await people.passkeys.list_of(BOB) == []
    assert await people.factors.factors_of(ADA) == {Factor.PASSKEY}
    assert await people.factors.factors_of(BOB) == frozenset()
    assert await people.recovery_codes.unspent(ADA) == CODES
    assert len(await people.proven_rows()) == 1


async def test_the_longest_credential_id_is_kept(people: Stores) -> None:
    longest = a_passkey(credential_id=(bytes(range(256)) * 4)[:1023])
    await added(people, longest)
    assert await people.passkeys.find(longest.credential_id) == longest


async def test_recovery_codes_that_can_be_used_stay(people: Stores) -> None:
    assert (await people.passkeys.add(a_passkey(1), CODES, MANY, NO_CONSEQUENCES)).codes_kept
    assert await people.passkeys.add(a_passkey(2), ["k.cc"], MANY, NO_CONSEQUENCES) == Added(True, False)
    assert await people.recovery_codes.unspent(ADA) == CODES
    for code in CODES:
        assert await people.recovery_codes.spend(ADA, code, LATER, NO_CONSEQUENCES)
    assert await people.passkeys.add(a_passkey(3), ["k.cc"], MANY, NO_CONSEQUENCES) == Added(True, True)
    assert await people.recovery_codes.unspent(ADA) == ["k.cc"]


async def test_of_many_first_ones_one_brings_its_codes(people: Stores) -> None:
    codes = [[f"k.{number}"] for number in range(4)]
    adding = (people.passkeys.add(a_passkey(number), codes[number], MANY, recorded()) for number in range(4))
    outcomes = await asyncio.gather(*adding)
    assert [one.done for one in outcomes] == [True] * 4
    kept = [one.codes_kept for one in outcomes]
    assert sorted(kept) == [False, False, False, True]
    assert await people.recovery_codes.unspent(ADA) == codes[kept.index(True)]


@pytest.mark.parametrize("owner", [ADA, BOB], ids=["own", "another's"])
async def test_a_credential_id_is_nobody_elses(people: Stores, owner: Subject) -> None:
    await added(people, a_passkey())
    with pytest.raises(Conflict):
        await people.passkeys.add(a_passkey(subject=owner, name="again"), CODES, MANY, recorded())
    assert await people.passkeys.find(a_passkey().credential_id) == a_passkey()
    assert await people.recovery_codes.unspent(owner) == []
    assert await people.proven_rows() == []


@pytest.mark.parametrize("owner", ["usr_gone", "usr_nobody"])
async def test_who_is_disabled_or_nobody_gets_none(people: Stores, owner: str) -> None:
    passkey = a_passkey(subject=Subject(owner))
    assert await people.passkeys.add(passkey, CODES, MANY, recorded()) == Added(False)
    assert await people.passkeys.find(passkey.credential_id) is None
    assert await people.proven_rows() == []


async def test_there_are_no_more_than_allowed(people: Stores) -> None:
    adding = (people.passkeys.add(a_passkey(number), CODES, 3, NO_CONSEQUENCES) for number in range(6))
    outcomes = await asyncio.gather(*adding)
    assert sum(one.done for one in outcomes) == 3
    assert len(await people.passkeys.list_of(ADA)) == 3
    await added(people, a_passkey(9, subject=BOB))


async def test_a_use_is_noted(people: Stores) -> None:
    await added(people, a_passkey(), a_passkey(2))
    assert await people.passkeys.use(a_passkey(sign_count=7, backed_up=True, name="not written"), LATER)
    held = await people.passkeys.find(a_passkey().credential_id)
    assert held == a_passkey(sign_count=7, backed_up=True, used_at=LATER, revision=2)
    assert await people.passkeys.find(a_passkey(2).credential_id) == a_passkey(2)


COUNTS = [
    pytest.param(0, 0, True, id="it does not count"),
    pytest.param(0, 1, True, id="it begins to count"),
    pytest.param(5, 6, True, id="farther"),
    pytest.param(5, 5, False, id="as far"),
    pytest.param(5, 4, False, id="back"),
    pytest.param(5, 0, False, id="it counts no more"),
]


@pytest.mark.parametrize(("before", "now", "noted"), COUNTS)
async def test_counts_rise(people: Stores, before: int, now: int, noted: bool) -> None:
    await added(people, a_passkey(sign_count=before))
    assert await people.passkeys.use(a_passkey(sign_count=now), LATER) is noted
    held = await people.passkeys.find(a_passkey().credential_id)
    assert held is not None
    assert (held.sign_count, held.used_at) == ((now, LATER) if noted else (before, None))


async def test_of_many_that_count_alike_one_is_noted(people: Stores) -> None:
    await added(people, a_passkey(sign_count=1))
    outcomes = await asyncio.gather(*(people.passkeys.use(a_passkey(sign_count=2), LATER) for _ in range(5)))
    assert sorted(outcomes) == [False, False, False, False, True]


async def test_what_is_gone_or_anothers_is_not_used(people: Stores) -> None:
    assert not await people.passkeys.use(a_passkey(), LATER)
    await added(people, a_passkey())
    assert not await people.passkeys.use(a_passkey(subject=BOB), LATER)
    assert await people.passkeys.find(a_passkey().credential_id) == a_passkey()


async def test_the_last_factor_takes_the_recovery_codes_along(people: Stores) -> None:
    assert (await people.passkeys.add(a_passkey(1), CODES, MANY, NO_CONSEQUENCES)).codes_kept
    await added(people, a_passkey(2))
    assert await people.passkeys.remove(a_passkey(1), recorded())
    assert await people.recovery_codes.unspent(ADA) == CODES
    assert await people.passkeys.remove(a_passkey(2), NO_CONSEQUENCES)
    assert await people.recovery_codes.unspent(ADA) == []
    assert await people.factors.factors_of(ADA) == frozenset()
    assert not await people.passkeys.remove(a_passkey(2), recorded())
    assert len(await people.proven_rows()) == 1


async def test_beside_an_app_the_recovery_codes_stay(people: Stores) -> None:
    begun = TotpSecret(ADA, b"sealed", SOME_TIME)
    assert await people.totp.put(begun)
    assert await people.totp.confirm(begun, 1, LATER, CODES, NO_CONSEQUENCES)
    await added(people, a_passkey())
    assert await people.factors.factors_of(ADA) == {Factor.PASSKEY, Factor.TOTP}
    assert await people.passkeys.remove(a_passkey(), NO_CONSEQUENCES)
    assert await people.recovery_codes.unspent(ADA) == CODES


async def test_nobody_removes_anothers(people: Stores) -> None:
    await added(people, a_passkey())
    assert not await people.passkeys.remove(a_passkey(subject=BOB), recorded())
    assert await people.passkeys.list_of(ADA) == [a_passkey()]
    assert await people.proven_rows() == []


def an_identity(provider: str) -> Identity:
    return Identity(provider, "1", ADA, "ada@example.com", "Ada", SOME_TIME, SOME_TIME)


async def test_the_last_way_in_stays(people: Stores) -> None:
    await people.identities.link(an_identity("google"), NO_CONSEQUENCES)
    await added(people, a_passkey(1), a_passkey(2))
    assert await people.passkeys.remove(a_passkey(2), NO_CONSEQUENCES, among=["github"])
    assert not await people.passkeys.remove(a_passkey(1), recorded(), among=["github"])
    assert not await people.passkeys.remove(a_passkey(1), recorded(), among=[])
    assert await people.passkeys.list_of(ADA) == [a_passkey(1)]
    assert await people.proven_rows() == []
    assert await people.passkeys.remove(a_passkey(1), NO_CONSEQUENCES, among=["github", "google"])


async def test_of_the_last_two_ways_one_stays_however_they_are_removed(people: Stores) -> None:
    await people.identities.link(an_identity("google"), NO_CONSEQUENCES)
    await added(people, a_passkey())
    outcomes = await asyncio.gather(
        people.passkeys.remove(a_passkey(), NO_CONSEQUENCES, among=["google"]),
        people.identities.remove(an_identity("google"), NO_CONSEQUENCES, among=["google"]),
    )
    assert sorted(outcomes) == [False, True]
    left = [*await people.passkeys.list_of(ADA), *await people.identities.list_of(ADA)]
    assert len(left) == 1


async def test_a_reset_ends_them(people: Stores) -> None:
    await added(people, a_passkey(1), a_passkey(2), a_passkey(3, subject=BOB))
    assert await people.factors.end_all(ADA, recorded())
    assert await people.passkeys.list_of(ADA) == []
    assert await people.passkeys.list_of(BOB) == [a_passkey(3, subject=BOB)]
