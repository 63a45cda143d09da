"""Conformance of ``Eviction``: what is dead goes, whatever lives or must be recognised stays."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from authcenter.core.authorization import PushedRequest
from authcenter.core.cut import Consequences, Cut, CutKind
from authcenter.core.digest import Digest
from authcenter.core.ids import ClientId, FamilyId
from authcenter.stores.ports.eviction import KEPT_AFTER_END, KEPT_AFTER_LAST_TOKEN, Evictable
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import a_client, a_family, a_refresh_token, a_revoked_token

MOST = 100
SLACK = timedelta(minutes=1)
DAY = timedelta(days=1)


async def family(stores: Stores, name: str, *, expired: timedelta, given: timedelta) -> str:
    """A family that expired so long ago, with a spent token and one it was traded for ``given`` ago; its id."""
    now = await stores.revocations.now()
    one = a_family(expires_at=now - expired, approved_at=now - given - DAY)
    first = a_refresh_token(one.family_id, f"{name}-1", issued_at=now - given - DAY, expires_at=now - expired)
    second = a_refresh_token(one.family_id, f"{name}-2", issued_at=now - given, expires_at=now - expired)
    await stores.refresh_tokens.open_family(one, first)
    assert await stores.refresh_tokens.rotate(first, second, None)
    return one.family_id


async def kept(stores: Stores, name: str) -> bool:
    held = [await stores.refresh_tokens.find(f"{name}-{number}") for number in (1, 2)]
    assert len({one is None for one in held}) == 1, "the tokens of a family go together"
    return held[0] is not None


END, LAST = KEPT_AFTER_END, KEPT_AFTER_LAST_TOKEN
EXPIRED = [
    pytest.param(END + SLACK, LAST + SLACK, False, id="long over"),
    pytest.param(END - SLACK, LAST + SLACK, True, id="just over"),
    pytest.param(END + SLACK, LAST - SLACK, True, id="over, but an access token of it may still live"),
    pytest.param(-DAY, 30 * DAY, True, id="alive"),
]


@pytest.mark.parametrize(("expired", "given", "stays"), EXPIRED)
async def test_a_family_goes_with_its_tokens_once_nothing_of_it_can_live(
    stores: Stores, expired: timedelta, given: timedelta, stays: bool
) -> None:
    await family(stores, "a", expired=expired, given=given)
    await family(stores, "b", expired=-DAY, given=timedelta(0))
    dead = 0 if stays else 1
    assert await stores.eviction.backlog(Evictable.FAMILIES, MOST) == dead
    assert await stores.eviction.backlog(Evictable.REFRESH_TOKENS, MOST) == 2 * dead
    assert await stores.eviction.evict(Evictable.REFRESH_TOKENS, MOST) == 3 * dead
    assert await kept(stores, "a") is stays
    assert await kept(stores, "b")
    assert await stores.eviction.evict(Evictable.FAMILIES, MOST) == 0


@pytest.mark.parametrize(("ago", "stays"), [(END + SLACK, False), (END - SLACK, True)], ids=["long ago", "just now"])
async def test_an_ended_family_goes_too(stores: Stores, ago: timedelta, stays: bool) -> None:
    ended = await family(stores, "a", expired=-DAY, given=timedelta(0))
    at = await stores.revocations.now() - ago
    cut = Consequences(cuts=(Cut(CutKind.FAMILY, ended, "replayed", expires_at=at + DAY),))
    end = stores.refresh_tokens.end_family
    # Written as ended then: the cut among the consequences would end it now.
    assert await end(FamilyId(ended), at, cut)
    await stores.eviction.evict(Evictable.FAMILIES, MOST)
    assert await kept(stores, "a") is stays
    assert len(await stores.revocations.all_cuts(at)) == 1


async def test_a_family_of_many_tokens_goes_in_several_batches(stores: Stores) -> None:
    now = await stores.revocations.now()
    one = a_family(approved_at=now - 9 * DAY, expires_at=now - DAY)
    tokens = [a_refresh_token(one.family_id, str(n), issued_at=now - 3 * DAY, expires_at=now - DAY) for n in range(8)]
    await stores.refresh_tokens.open_family(one, tokens[0])
    for token, successor in itertools.pairwise(tokens):
        assert await stores.refresh_tokens.rotate(token, successor, None)
    batches = [await stores.eviction.evict(Evictable.REFRESH_TOKENS, 3) for _ in range(5)]
    assert sum(batches) == 9
    assert max(batches) <= 4
    assert batches[-1] == 0


async def revoked(stores: Stores, now: datetime) -> None:
    for number, ago in enumerate((END + SLACK, END - SLACK, -DAY)):
        await stores.revocations.revoke(a_revoked_token(number, expires_at=now - ago))


async def cut(stores: Stores, now: datetime) -> None:
    lapses = (now - END - SLACK, now - END + SLACK, None)
    cuts = [Cut(CutKind.JTI, str(number), "", expires_at=at) for number, at in enumerate(lapses)]
    await stores.revocations.cut(Consequences(cuts=cuts))


async def leased(stores: Stores, now: datetime) -> None:
    for number, ago in enumerate((END + SLACK, END - SLACK, -DAY)):
        await stores.locks.acquire(str(number), "one", -ago)


async def pushed(stores: Stores, now: datetime) -> None:
    for number, ago in enumerate((END + SLACK, END - SLACK, -DAY)):
        digest = Digest(bytes([number]) * 32)
        await stores.pushed.add(PushedRequest(digest, ClientId("shop"), {}, (), now - ago))


@pytest.mark.parametrize(
    ("table", "write"),
    [
        (Evictable.REVOKED, revoked),
        (Evictable.CUTS, cut),
        (Evictable.LEASES, leased),
        (Evictable.PUSHED_REQUESTS, pushed),
    ],
    ids=["revoked tokens", "cuts", "locks", "pushed requests"],
)
async def test_what_lapsed_an_hour_ago_goes(
    stores: Stores, table: Evictable, write: Callable[[Stores, datetime], Awaitable[None]]
) -> None:
    await write(stores, await stores.revocations.now())
    assert await stores.eviction.backlog(table, MOST) == 1
    assert [await stores.eviction.evict(table, MOST) for _ in range(2)] == [1, 0]
    assert await stores.eviction.backlog(table, MOST) == 0


async def test_a_change_of_just_now_stays(stores: Stores) -> None:
    await stores.clients.add(a_client("a"))
    assert await stores.eviction.evict(Evictable.CHANGES, MOST) == 0
    assert len(await stores.changes.recent_changes(60)) == 1


async def test_no_more_than_asked_for_is_counted_or_evicted(stores: Stores) -> None:
    now = await stores.revocations.now()
    for number in range(7):
        await stores.revocations.revoke(a_revoked_token(number, expires_at=now - DAY))
    assert await stores.eviction.backlog(Evictable.REVOKED, 5) == 5
    assert [await stores.eviction.evict(Evictable.REVOKED, 5) for _ in range(3)] == [5, 2, 0]


async def test_two_instances_evict_beside_rotation_without_touching_what_lives(
    processes: tuple[Stores, Stores],
) -> None:
    one, other = processes
    for number in range(30):
        await family(one, f"dead{number}", expired=2 * DAY, given=3 * DAY)
    now = await one.revocations.now()
    living = a_family(approved_at=now, expires_at=now + DAY)
    tokens = [a_refresh_token(living.family_id, f"t{n}", issued_at=now, expires_at=now + DAY) for n in range(20)]
    await one.refresh_tokens.open_family(living, tokens[0])

    async def rotate() -> None:
        for token, successor in itertools.pairwise(tokens):
            assert await one.refresh_tokens.rotate(token, successor, None)

    async def evict(stores: Stores) -> int:
        return sum([await stores.eviction.evict(Evictable.REFRESH_TOKENS, 7) for _ in range(25)])

    _, *evicted = await asyncio.gather(rotate(), evict(one), evict(other))
    assert sum(evicted) == 90
    # Every spent token of the living family is still known as spent.
    held = [await other.refresh_tokens.find(token.selector) for token in tokens]
    assert [one is not None and one.token.spent_at is not None for one in held] == [True] * 19 + [False]
