"""Conformance of ``SigningKeyStore``."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from authcenter.core.errors import Conflict
from authcenter.core.event import EventKind
from authcenter.core.ids import Kid
from authcenter.stores.ports.keys import StoredKey
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import SOME_TIME, a_key, recorded

HELD, ANEW = ("-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + filling for filling in ("held", "anew"))


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(a_key("k" * 64), id="every field set"),
        pytest.param(a_key(private_pem="", retired_at=None, revoked_at=None), id="nothing optional set"),
    ],
)
async def test_a_key_is_read_as_it_was_written(stores: Stores, key: StoredKey) -> None:
    await stores.keys.add(key, recorded(EventKind.KEY_CREATED))
    assert await stores.keys.list_keys() == [key]
    assert [row.event for row in await stores.proven_rows()] == ["key.created"]


async def test_keys_are_listed_by_age(stores: Stores) -> None:
    for kid, days in (("c", 2), ("a", 3), ("b", 1)):
        await stores.keys.add(a_key(kid, created_at=SOME_TIME + timedelta(days=days)))
    assert [key.kid for key in await stores.keys.list_keys()] == ["b", "c", "a"]


async def test_a_taken_kid_is_a_conflict_and_keeps_nothing(stores: Stores) -> None:
    await stores.keys.add(a_key())
    with pytest.raises(Conflict):
        await stores.keys.add(a_key(alg="RS256"), recorded())
    assert await stores.keys.list_keys() == [a_key()]
    assert await stores.proven_rows() == []


async def test_a_key_is_replaced_with_its_successor_or_not_at_all(stores: Stores) -> None:
    old, retired = a_key(retired_at=None, revoked_at=None), a_key(private_pem="", revoked_at=None)
    successor = a_key("k2", revoked_at=None, created_at=SOME_TIME + timedelta(days=1))
    await stores.keys.add(old)
    with pytest.raises(Conflict):
        await stores.keys.replace(retired, recorded(), successor=a_key("k1"))
    assert await stores.keys.list_keys() == [old]
    assert await stores.proven_rows() == []

    assert await stores.keys.replace(retired, recorded(EventKind.KEY_RETIRED), successor=successor)
    assert await stores.keys.list_keys() == [retired, successor]
    assert await stores.keys.replace(successor)
    assert await stores.keys.list_keys() == [retired, successor]
    assert len(await stores.proven_rows()) == 1


@pytest.mark.parametrize("kid", ["k1", "unknown"])
async def test_nothing_is_written_over_a_revoked_key_or_one_that_is_not_there(stores: Stores, kid: str) -> None:
    revoked = a_key("k1")
    await stores.keys.add(revoked)
    assert not await stores.keys.replace(a_key(kid, revoked_at=None), recorded(), successor=a_key("k2"))
    assert await stores.keys.list_keys() == [revoked]
    assert await stores.proven_rows() == []


async def test_another_encryption_changes_nothing_else(stores: Stores) -> None:
    read = a_key(retired_at=None, revoked_at=None)
    await stores.keys.add(read)
    assert await stores.keys.replace(replace(read, retired_at=SOME_TIME))
    assert await stores.keys.relock(read.kid, read.private_pem, ANEW, recorded(EventKind.KEYS_REENCRYPTED))
    assert await stores.keys.list_keys() == [replace(read, private_pem=ANEW, retired_at=SOME_TIME)]
    assert [row.event for row in await stores.proven_rows()] == ["key.reencrypted"]


async def test_the_end_of_a_key_undoes_nothing_that_was_written_since_it_was_read(stores: Stores) -> None:
    read = a_key(retired_at=None, revoked_at=None)
    await stores.keys.add(read)
    assert await stores.keys.relock(read.kid, read.private_pem, ANEW)
    assert await stores.keys.replace(replace(read, retired_at=SOME_TIME))
    assert await stores.keys.replace(replace(read, retired_at=SOME_TIME + timedelta(days=1)))
    assert await stores.keys.replace(replace(read, private_pem="", revoked_at=SOME_TIME))
    assert await stores.keys.list_keys() == [
        replace(read, private_pem="", retired_at=SOME_TIME, revoked_at=SOME_TIME),
    ]


@pytest.mark.parametrize("before", ["read before", ""], ids=["encrypted meanwhile", "destroyed"])
async def test_no_encryption_takes_the_place_of_one_that_was_not_read(stores: Stores, before: str) -> None:
    held = a_key(private_pem=HELD if before else "")
    await stores.keys.add(held)
    assert not await stores.keys.relock(held.kid, before or "read before", ANEW, recorded())
    assert not await stores.keys.relock(Kid("unknown"), held.private_pem, ANEW, recorded())
    assert await stores.keys.list_keys() == [held]
    assert await stores.proven_rows() == []


async def test_encrypting_anew_and_retiring_at_the_same_time_are_both_done(processes: tuple[Stores, Stores]) -> None:
    here, there = processes
    read = [a_key(f"k{number}", retired_at=None, revoked_at=None) for number in range(10)]
    for key in read:
        await here.keys.add(key)
    relocking = (here.keys.relock(key.kid, key.private_pem, f"{ANEW} {key.kid}") for key in read)
    retiring = (there.keys.replace(replace(key, retired_at=SOME_TIME)) for key in read)
    assert all(await asyncio.gather(*(act for both in zip(relocking, retiring, strict=True) for act in both)))
    left = {key.kid: key for key in await here.keys.list_keys()}
    assert left == {key.kid: replace(key, private_pem=f"{ANEW} {key.kid}", retired_at=SOME_TIME) for key in read}
