"""Conformance of ``PasswordResetStore``."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from authcenter.core.account_links import ResetLink
from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.digest import Digest
from authcenter.core.event import EventKind
from authcenter.core.ids import Subject
from authcenter.core.user import User
from authcenter.stores.ports.eviction import KEPT_AFTER_END, Evictable
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import SOME_TIME, a_user, recorded

HOUR = timedelta(hours=1)
FIRST, SECOND = Digest(b"1" * 32), Digest(b"2" * 32)


def a_link(subject: str, digest: Digest = FIRST, **changes: Any) -> ResetLink:
    return replace(ResetLink(digest, Subject(subject), SOME_TIME, SOME_TIME + HOUR), **changes)


async def somebody(stores: Stores, **changes: Any) -> User:
    user = a_user(**{"disabled_at": None, "cut_at": None, **changes})
    await stores.users.add(user, "old hash")
    return user


async def spent(stores: Stores, digest: Digest = FIRST) -> datetime | None:
    found = await stores.password_resets.find(digest)
    assert found is not None
    return found.spent_at


async def hash_of(stores: Stores, user: User) -> str:
    found = await stores.users.find_credentials(user.username)
    assert found is not None
    return found.password_hash


async def test_a_link_is_read_as_it_was_written(stores: Stores) -> None:
    user = await somebody(stores)
    assert await stores.password_resets.add(a_link(user.subject), recorded(EventKind.USER_RESET_SENT))
    assert await stores.password_resets.find(FIRST) == a_link(user.subject)
    assert await stores.password_resets.find(SECOND) is None
    assert len(await stores.proven_rows()) == 1


async def test_a_newer_link_ends_the_older_ones_of_the_same_person(stores: Stores) -> None:
    ada, bob = await somebody(stores), await somebody(stores, username="Bob", email="bob@example.com")
    await stores.password_resets.add(a_link(ada.subject), NO_CONSEQUENCES)
    await stores.password_resets.add(a_link(bob.subject, SECOND), NO_CONSEQUENCES)
    assert (await spent(stores), await spent(stores, SECOND)) == (None, None)
    third = Digest(b"3" * 32)
    await stores.password_resets.add(a_link(ada.subject, third), NO_CONSEQUENCES)
    assert await spent(stores) is not None
    assert (await spent(stores, SECOND), await spent(stores, third)) == (None, None)


async def test_a_link_is_added_once(stores: Stores) -> None:
    user = await somebody(stores)
    assert await stores.password_resets.add(a_link(user.subject), recorded())
    assert not await stores.password_resets.add(a_link(user.subject), recorded())
    assert len(await stores.proven_rows()) == 1
    assert await spent(stores) is None


@pytest.mark.parametrize("who", ["disabled", "gone"])
async def test_nobody_disabled_or_gone_gets_a_link(stores: Stores, who: str) -> None:
    subject = (await somebody(stores, disabled_at=SOME_TIME)).subject if who == "disabled" else "usr_nobody"
    assert not await stores.password_resets.add(a_link(subject), recorded())
    assert await stores.password_resets.find(FIRST) is None
    assert await stores.proven_rows() == []


async def test_redeeming_spends_the_link_and_sets_the_password(stores: Stores) -> None:
    user = await somebody(stores, reset_required_at=SOME_TIME)
    await stores.password_resets.add(a_link(user.subject), NO_CONSEQUENCES)
    changed = replace(user, reset_required_at=None)
    assert await stores.password_resets.redeem(FIRST, SOME_TIME, changed, "new hash", recorded())
    assert await stores.users.find(user.subject) == replace(changed, revision=user.revision + 1)
    assert await hash_of(stores, user) == "new hash"
    assert await spent(stores) == SOME_TIME
    newest = replace(changed, revision=user.revision + 1)
    assert not await stores.password_resets.redeem(FIRST, SOME_TIME, newest, "newer hash", recorded())
    assert await hash_of(stores, user) == "new hash"
    assert len(await stores.proven_rows()) == 1


async def test_a_stale_revision_spends_nothing(stores: Stores) -> None:
    user = await somebody(stores)
    await stores.password_resets.add(a_link(user.subject), NO_CONSEQUENCES)
    stale = replace(user, revision=user.revision - 1)
    assert not await stores.password_resets.redeem(FIRST, SOME_TIME, stale, "new hash", recorded())
    assert await spent(stores) is None
    assert await hash_of(stores, user) == "old hash"


async def test_a_link_sets_nobody_elses_password(stores: Stores) -> None:
    ada, bob = await somebody(stores), await somebody(stores, username="Bob", email="bob@example.com")
    await stores.password_resets.add(a_link(ada.subject), NO_CONSEQUENCES)
    assert not await stores.password_resets.redeem(FIRST, SOME_TIME, bob, "new hash", recorded())
    assert await spent(stores) is None


async def test_who_was_disabled_meanwhile_sets_no_password(stores: Stores) -> None:
    user = await somebody(stores)
    await stores.password_resets.add(a_link(user.subject), NO_CONSEQUENCES)
    await stores.users.replace(replace(user, disabled_at=SOME_TIME))
    newest = await stores.users.find(user.subject)
    assert newest is not None
    assert not await stores.password_resets.redeem(FIRST, SOME_TIME, newest, "new hash", recorded())
    assert await spent(stores) is None


async def test_a_password_set_by_any_way_ends_the_links(stores: Stores) -> None:
    user = await somebody(stores)
    await stores.password_resets.add(a_link(user.subject), NO_CONSEQUENCES)
    assert await stores.users.replace(user)
    assert await spent(stores) is None
    newest = await stores.users.find(user.subject)
    assert newest is not None
    assert await stores.users.replace(newest, password_hash="new hash")
    assert await spent(stores) is not None


async def test_of_many_that_redeem_at_once_one_does(processes: tuple[Stores, Stores]) -> None:
    user = await somebody(processes[0])
    await processes[0].password_resets.add(a_link(user.subject), NO_CONSEQUENCES)
    tries = [
        processes[number % 2].password_resets.redeem(FIRST, SOME_TIME, user, f"hash {number}", recorded())
        for number in range(8)
    ]
    outcomes = await asyncio.gather(*tries)
    assert outcomes.count(True) == 1
    assert await hash_of(processes[0], user) == f"hash {outcomes.index(True)}"
    assert len(await processes[0].proven_rows()) == 1


async def test_of_many_added_at_once_one_can_be_used(processes: tuple[Stores, Stores]) -> None:
    user = await somebody(processes[0])
    digests = [Digest(bytes([number]) * 32) for number in range(1, 9)]
    adding = [
        processes[number % 2].password_resets.add(a_link(user.subject, digest), NO_CONSEQUENCES)
        for number, digest in enumerate(digests)
    ]
    assert all(await asyncio.gather(*adding))
    assert [await spent(processes[0], digest) for digest in digests].count(None) == 1


async def test_what_lapsed_long_ago_goes(stores: Stores) -> None:
    user, now = await somebody(stores), await stores.revocations.now()
    ended = now - KEPT_AFTER_END - HOUR
    await stores.password_resets.add(a_link(user.subject, expires_at=ended), NO_CONSEQUENCES)
    await stores.password_resets.add(a_link(user.subject, SECOND, expires_at=now), NO_CONSEQUENCES)
    assert await stores.eviction.evict(Evictable.RESET_LINKS, 10) == 1
    assert await stores.password_resets.find(FIRST) is None
    assert await stores.password_resets.find(SECOND) is not None
