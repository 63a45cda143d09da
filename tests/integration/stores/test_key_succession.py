"""Conformance of what rotation by policy needs of the store: one successor, whoever races, and one pause."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from authcenter.core.event import EventKind
from authcenter.core.ids import Kid
from authcenter.stores.ports.keys import RotationPause, StoredKey
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import AWKWARD, SOME_TIME, a_key, recorded

DAY = timedelta(days=1)


def usable(kid: str, days: int, alg: str = "ES256") -> StoredKey:
    return a_key(kid, alg=alg, signs_from=SOME_TIME + days * DAY, retired_at=None, revoked_at=None)


@pytest.mark.parametrize("predecessor", [None, "first"])
async def test_of_many_at_once_one_makes_the_next_key(
    processes: tuple[Stores, Stores], predecessor: str | None
) -> None:
    if predecessor is not None:
        await processes[0].keys.add(usable(predecessor, 0))
    kid = None if predecessor is None else Kid(predecessor)
    racing = [
        processes[n % 2].keys.succeed(usable(f"k{n}", 90), kid, recorded(EventKind.KEY_CREATED)) for n in range(6)
    ]
    assert (await asyncio.gather(*racing)).count(True) == 1
    assert len(await processes[0].keys.list_keys()) == (1 if predecessor is None else 2)
    assert [row.event for row in await processes[0].proven_rows()] == ["key.created"]


async def test_the_predecessor_must_be_the_last_in_line(stores: Stores) -> None:
    await stores.keys.add(usable("a", 0))
    await stores.keys.add(usable("b", 90))
    assert not await stores.keys.succeed(usable("c", 180), Kid("a"))
    assert not await stores.keys.succeed(usable("c", 180), None)
    assert not await stores.keys.succeed(usable("c", 180), Kid("unknown"))
    assert await stores.keys.succeed(usable("c", 180), Kid("b"))


@pytest.mark.parametrize("ended", ["retired_at", "revoked_at"])
async def test_who_is_retired_or_revoked_is_not_in_line(stores: Stores, ended: str) -> None:
    await stores.keys.add(usable("a", 0))
    gone = a_key("b", signs_from=SOME_TIME + DAY, **{"retired_at": None, "revoked_at": None, ended: SOME_TIME})
    await stores.keys.add(gone)
    assert not await stores.keys.succeed(usable("c", 90), Kid("b"))
    assert await stores.keys.succeed(usable("c", 90), Kid("a"))


async def test_every_algorithm_has_a_line_of_its_own(stores: Stores) -> None:
    await stores.keys.add(usable("a", 0))
    assert await stores.keys.succeed(usable("b", 0, "EdDSA"), None)
    assert not await stores.keys.succeed(usable("c", 0, "EdDSA"), Kid("a"))


@pytest.mark.parametrize("until", [None, SOME_TIME + DAY], ids=["for good", "for a time"])
async def test_a_pause_is_read_as_it_was_written(stores: Stores, until: object) -> None:
    assert await stores.pauses.find() is None
    pause = RotationPause(SOME_TIME, until, AWKWARD)
    assert await stores.pauses.put(pause, recorded(EventKind.KEY_ROTATION_PAUSED))
    assert await stores.pauses.find() == pause
    assert await stores.pauses.put(RotationPause(SOME_TIME, None, "b"))
    assert await stores.pauses.put(None, recorded(EventKind.KEY_ROTATION_RESUMED))
    assert await stores.pauses.find() is None
    assert not await stores.pauses.put(None, recorded(EventKind.KEY_ROTATION_RESUMED))
    assert [row.event for row in await stores.proven_rows()] == ["key.rotation_paused", "key.rotation_resumed"]


@pytest.mark.parametrize("retired_at", [None, SOME_TIME - DAY], ids=["superseded", "retired"])
async def test_a_private_half_is_destroyed_once(processes: tuple[Stores, Stores], retired_at: datetime | None) -> None:
    one = a_key("a", retired_at=retired_at, revoked_at=None)
    await processes[0].keys.add(one)
    dropping = [processes[n % 2].keys.drop(one.kid, SOME_TIME, recorded(EventKind.KEY_DROPPED)) for n in range(4)]
    assert (await asyncio.gather(*dropping)).count(True) == 1
    kept = replace(one, private_pem="", retired_at=retired_at or SOME_TIME)
    assert await processes[0].keys.list_keys() == [kept]
    assert [row.event for row in await processes[1].proven_rows()] == ["key.dropped"]
    assert not await processes[0].keys.drop(Kid("unknown"), SOME_TIME)
