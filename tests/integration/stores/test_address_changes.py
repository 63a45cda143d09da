"""Conformance of ``AddressChangeStore``."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from authcenter.core.account_links import AddressChange, ResetLink
from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.digest import Digest
from authcenter.core.errors import Conflict
from authcenter.core.event import EventKind
from authcenter.core.ids import Subject
from authcenter.core.user import User
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import SOME_TIME, a_user, recorded

HOUR = timedelta(hours=1)
FIRST, SECOND = Digest(b"1" * 32), Digest(b"2" * 32)
NEW = "Ada@New.example"


def a_change(subject: str, digest: Digest = FIRST, **changes: Any) -> AddressChange:
    return replace(AddressChange(digest, Subject(subject), NEW, SOME_TIME, SOME_TIME + HOUR), **changes)


async def somebody(stores: Stores, **changes: Any) -> User:
    user = a_user(**{"disabled_at": None, "cut_at": None, **changes})
    await stores.users.add(user, "hash")
    return user


async def spent(stores: Stores, digest: Digest = FIRST) -> datetime | None:
    found = await stores.address_changes.find(digest)
    assert found is not None
    return found.spent_at


async def test_a_change_is_read_as_it_was_written(stores: Stores) -> None:
    user = await somebody(stores)
    asked = recorded(EventKind.USER_ADDRESS_CHANGE_ASKED)
    assert await stores.address_changes.add(a_change(user.subject), asked)
    assert await stores.address_changes.find(FIRST) == a_change(user.subject)
    assert await stores.address_changes.find(SECOND) is None
    assert len(await stores.proven_rows()) == 1


async def test_a_newer_change_ends_the_older_ones_of_the_same_person(stores: Stores) -> None:
    ada, bob = await somebody(stores), await somebody(stores, username="Bob", email="bob@example.com")
    await stores.address_changes.add(a_change(bob.subject, SECOND), NO_CONSEQUENCES)
    await stores.address_changes.add(a_change(ada.subject), NO_CONSEQUENCES)
    await stores.address_changes.add(a_change(ada.subject, Digest(b"3" * 32)), NO_CONSEQUENCES)
    assert await spent(stores) is not None
    assert await spent(stores, SECOND) is None


@pytest.mark.parametrize("who", ["disabled", "gone"])
async def test_nobody_disabled_or_gone_asks(stores: Stores, who: str) -> None:
    subject = (await somebody(stores, disabled_at=SOME_TIME)).subject if who == "disabled" else "usr_nobody"
    assert not await stores.address_changes.add(a_change(subject), recorded())
    assert await stores.address_changes.find(FIRST) is None


async def test_confirming_spends_it_and_changes_the_address(stores: Stores) -> None:
    user = await somebody(stores)
    await stores.address_changes.add(a_change(user.subject), NO_CONSEQUENCES)
    await stores.password_resets.add(ResetLink(FIRST, user.subject, SOME_TIME, SOME_TIME + HOUR), NO_CONSEQUENCES)
    changed = replace(user, email=NEW)
    assert await stores.address_changes.confirm(FIRST, SOME_TIME, changed, recorded())
    found = await stores.users.find_credentials(NEW.lower())
    assert found is not None
    assert found.user == replace(changed, revision=user.revision + 1)
    assert await stores.users.find_credentials(user.email) is None
    assert await spent(stores) == SOME_TIME
    link = await stores.password_resets.find(FIRST)
    assert link is not None
    assert link.spent_at is not None, "it lies in the former mailbox"
    assert not await stores.address_changes.confirm(FIRST, SOME_TIME, found.user, recorded())


async def test_an_address_that_is_somebody_elses_by_now_changes_nothing(stores: Stores) -> None:
    user = await somebody(stores)
    await somebody(stores, username="Bob", email=NEW.upper())
    await stores.address_changes.add(a_change(user.subject), NO_CONSEQUENCES)
    with pytest.raises(Conflict):
        await stores.address_changes.confirm(FIRST, SOME_TIME, replace(user, email=NEW), recorded())
    assert await stores.users.find(user.subject) == user
    assert await spent(stores) is None
    assert await stores.proven_rows() == []


@pytest.mark.parametrize("what", ["stale", "disabled", "another's"])
async def test_what_does_not_hold_spends_nothing(stores: Stores, what: str) -> None:
    user = await somebody(stores)
    await stores.address_changes.add(a_change(user.subject), NO_CONSEQUENCES)
    changed = user
    if what == "stale":
        changed = replace(user, revision=user.revision - 1)
    elif what == "disabled":
        await stores.users.replace(replace(user, disabled_at=SOME_TIME))
        changed = replace(user, revision=user.revision + 1)
    else:
        changed = await somebody(stores, username="Bob", email="bob@example.com")
    assert not await stores.address_changes.confirm(FIRST, SOME_TIME, replace(changed, email=NEW), recorded())
    assert await spent(stores) is None
    assert await stores.users.find_credentials(NEW) is None


async def test_of_many_that_confirm_at_once_one_does(processes: tuple[Stores, Stores]) -> None:
    user = await somebody(processes[0])
    await processes[0].address_changes.add(a_change(user.subject), NO_CONSEQUENCES)
    changed = replace(user, email=NEW)
    tries = [
        processes[number % 2].address_changes.confirm(FIRST, SOME_TIME, changed, recorded()) for number in range(8)
    ]
    assert (await asyncio.gather(*tries)).count(True) == 1
    assert len(await processes[0].proven_rows()) == 1
