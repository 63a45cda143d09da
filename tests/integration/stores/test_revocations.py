"""Conformance of ``RevocationStore``."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authcenter.core.cut import LIFTED_CUT_LASTS, Consequences, Cut, CutKind
from authcenter.core.ids import ClientId, Subject, new_jti
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import (
    LONG_ID,
    SOME_TIME,
    a_client,
    a_digest,
    a_family,
    a_refresh_token,
    a_revoked_token,
    a_user,
    cutting,
    recorded,
)

SUBJECT = "usr_ada"
LATER, LATEST = SOME_TIME + timedelta(hours=1), SOME_TIME + timedelta(hours=2)


async def all_tokens(stores: Stores, alive_after: datetime = SOME_TIME) -> dict[bytes, datetime]:
    return {digest: expires async for batch in stores.revocations.all_tokens(alive_after) for digest, expires in batch}


async def the_cut(stores: Stores) -> Cut:
    (cut,) = await stores.revocations.all_cuts(SOME_TIME)
    return cut


async def test_the_clock_is_aware_and_present(stores: Stores) -> None:
    now = await stores.revocations.now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_token_is_revoked_once(stores: Stores) -> None:
    token = a_revoked_token()
    assert await stores.revocations.revoke(token, recorded())
    assert not await stores.revocations.revoke(a_revoked_token(expires_at=LATEST), recorded())
    assert await all_tokens(stores) == {token.digest: token.expires_at}
    assert len(await stores.proven_rows()) == 1
    assert len(stores.counted) == 1


async def test_of_concurrent_revocations_one_is_the_first(processes: tuple[Stores, Stores]) -> None:
    revoking = (processes[n % 2].revocations.revoke(a_revoked_token(), recorded()) for n in range(30))
    assert (await asyncio.gather(*revoking)).count(True) == 1
    assert len(await processes[0].proven_rows()) == 1


async def test_lapsed_tokens_are_left_out(stores: Stores) -> None:
    for number, expires_at in enumerate([SOME_TIME - timedelta(microseconds=1), SOME_TIME, LATER]):
        await stores.revocations.revoke(a_revoked_token(number, expires_at=expires_at))
    assert await all_tokens(stores) == {a_digest(2): LATER}
    assert len(await all_tokens(stores, SOME_TIME - timedelta(days=1))) == 3


async def test_reading_all_tokens_may_stop_early(stores: Stores) -> None:
    await stores.revocations.revoke(a_revoked_token())
    for _ in range(30):
        reading = stores.revocations.all_tokens(SOME_TIME)
        assert len(await anext(reading)) == 1
        await reading.aclose()
    assert len(await all_tokens(stores)) == 1


async def test_recent_is_what_was_written_lately_lapsed_or_not(stores: Stores) -> None:
    await stores.revocations.revoke(a_revoked_token(1, expires_at=SOME_TIME))
    await stores.revocations.cut(cutting(CutKind.SESSION, "s", expires_at=SOME_TIME))
    tokens, cuts = await stores.revocations.recent(60)
    assert tokens == [(a_digest(1), SOME_TIME)]
    assert cuts == [Cut(CutKind.SESSION, "s", "a reason", expires_at=SOME_TIME)]
    assert await stores.revocations.recent(-60) == ([], [])


@pytest.mark.parametrize("kind", list(CutKind))
async def test_a_cut_is_read_as_it_was_made(stores: Stores, kind: CutKind) -> None:
    cut = Cut(kind, LONG_ID, "it's 🦊", up_to=LATER, expires_at=LATEST)
    await stores.revocations.cut(Consequences(cuts=[cut], events=recorded().events))
    assert await stores.revocations.all_cuts(SOME_TIME) == [cut]
    assert await stores.revocations.all_cuts(LATEST) == []
    assert len(await stores.proven_rows()) == 1


async def test_a_cut_without_an_end_never_lapses(stores: Stores) -> None:
    cut = Cut(CutKind.KEY, "k1", "leaked")
    await stores.revocations.cut(Consequences(cuts=[cut]))
    assert await stores.revocations.all_cuts(datetime(9999, 1, 1, tzinfo=UTC)) == [cut]


@pytest.mark.parametrize(
    ("first", "second", "up_to", "expires_at"),
    [
        pytest.param({"up_to": LATER}, {"up_to": LATEST}, LATEST, None, id="the later stays"),
        pytest.param({"up_to": LATEST}, {"up_to": LATER}, LATEST, None, id="the later stays, made first"),
        pytest.param({}, {"up_to": LATER}, None, None, id="all outweighs up to an instant"),
        pytest.param({"up_to": LATER}, {}, None, None, id="all outweighs up to an instant, made second"),
        pytest.param({}, {"until_now": True}, None, None, id="all outweighs until now"),
        pytest.param({}, {"up_to": LATER, "expires_at": LATEST}, None, None, id="what stands does not lapse"),
        pytest.param({"expires_at": LATEST}, {}, None, None, id="what stands does not lapse, made second"),
        pytest.param({"expires_at": LATEST}, {"expires_at": LATER}, None, LATEST, id="the later end counts"),
        pytest.param(
            {"expires_at": LATER}, {"expires_at": LATEST}, None, LATEST, id="the later end counts, made second"
        ),
    ],
)
async def test_cuts_of_one_thing_are_merged(
    stores: Stores, first: dict[str, Any], second: dict[str, Any], up_to: datetime | None, expires_at: datetime | None
) -> None:
    await stores.revocations.cut(cutting(CutKind.SUBJECT, SUBJECT, **first))
    await stores.revocations.cut(cutting(CutKind.SUBJECT, SUBJECT, reason="second", **second))
    assert await the_cut(stores) == Cut(CutKind.SUBJECT, SUBJECT, "second", up_to=up_to, expires_at=expires_at)


async def test_until_now_is_the_databases_clock_rounded_up_to_the_second(stores: Stores) -> None:
    user, client = a_user(cut_at=None), a_client(cut_at=None)
    await stores.users.add(user, "hash")
    await stores.clients.add(client)
    before = await stores.revocations.now()
    for kind, value in ((CutKind.SUBJECT, user.subject), (CutKind.CLIENT, client.client_id)):
        await stores.revocations.cut(cutting(kind, value, until_now=True))
    after = await stores.revocations.now()
    marked = await stores.users.find(user.subject), await stores.clients.find(client.client_id)
    cuts = await stores.revocations.all_cuts(SOME_TIME)
    for up_to in (*(cut.up_to for cut in cuts), *(owner.cut_at for owner in marked if owner)):
        assert up_to is not None
        assert up_to.microsecond == 0
        assert before <= up_to < after + timedelta(seconds=1)
    assert len(cuts) == 2


async def test_a_lift_leaves_a_cut_of_what_was_issued_until_now(stores: Stores) -> None:
    await stores.clients.add(a_client(cut_at=None))
    await stores.revocations.cut(cutting(CutKind.CLIENT, "shop", expires_at=LATEST))
    assert await stores.clients.find("shop") == a_client(cut_at=None)
    before = await stores.revocations.now()
    await stores.revocations.cut(Consequences(lifts=[(CutKind.CLIENT, "shop"), (CutKind.KEY, "unknown")]))
    after = await stores.revocations.now()
    cut = await the_cut(stores)
    assert cut.up_to is not None
    assert cut.up_to.microsecond == 0
    assert before <= cut.up_to < after + timedelta(seconds=1)
    assert (cut.reason, cut.expires_at) == ("a reason", cut.up_to + LIFTED_CUT_LASTS)
    assert await stores.clients.find("shop") == a_client(cut_at=cut.up_to)
    assert await stores.revocations.recent(60) == ([], [cut])


async def test_a_lift_leaves_a_cut_up_to_an_instant_as_it_is(stores: Stores) -> None:
    await stores.revocations.cut(cutting(CutKind.CLIENT, "shop", up_to=LATER))
    await stores.revocations.cut(Consequences(lifts=[(CutKind.CLIENT, "shop")]))
    assert await the_cut(stores) == Cut(CutKind.CLIENT, "shop", "a reason", up_to=LATER)


async def test_a_cut_that_comes_with_its_lift_is_of_what_was_issued_until_now(stores: Stores) -> None:
    user = a_user(cut_at=None)
    await stores.users.add(user, "hash")
    await stores.revocations.cut(cutting(CutKind.SUBJECT, user.subject))
    narrower = Cut(CutKind.SUBJECT, user.subject, "enabled", until_now=True)
    await stores.revocations.cut(Consequences(cuts=[narrower], lifts=[(CutKind.SUBJECT, user.subject)]))
    marked = await stores.users.find(user.subject)
    assert marked is not None
    cut = await the_cut(stores)
    assert cut.up_to is not None
    assert cut.up_to == marked.cut_at


async def test_a_refused_write_lifts_and_cuts_nothing(stores: Stores) -> None:
    await stores.revocations.cut(cutting(CutKind.CLIENT, "shop"))
    change = Consequences(cuts=[Cut(CutKind.SUBJECT, "shop", "x")], lifts=[(CutKind.CLIENT, "shop")])
    assert not await stores.clients.remove("shop", change)
    assert (await the_cut(stores)).kind is CutKind.CLIENT


async def test_concurrent_cuts_of_overlapping_families_all_succeed(processes: tuple[Stores, Stores]) -> None:
    subjects, shops = ("usr_a", "usr_b"), ("shop-1", "shop-2")
    for _ in range(10):
        for number in range(40):
            family = a_family(subject=Subject(subjects[number % 2]), client_id=ClientId(shops[number // 2 % 2]))
            await processes[0].refresh_tokens.open_family(family, a_refresh_token(family.family_id, new_jti()))
        cuts = [Cut(CutKind.SUBJECT, subject, "x") for subject in subjects]
        cuts += [Cut(CutKind.CLIENT, shop, "x") for shop in shops] + [Cut(CutKind.EVERYTHING, "", "x", until_now=True)]
        cutting_all = (processes[n % 2].revocations.cut(Consequences(cuts=[cut])) for n, cut in enumerate(cuts))
        await asyncio.gather(*cutting_all)


async def test_concurrent_cuts_of_overlapping_things_all_succeed(processes: tuple[Stores, Stores]) -> None:
    user, client = a_user(cut_at=None), a_client(cut_at=None)
    await processes[0].users.add(user, "hash")
    await processes[0].clients.add(client)
    subject = Cut(CutKind.SUBJECT, user.subject, "x", until_now=True)
    shop = Cut(CutKind.CLIENT, client.client_id, "x", until_now=True)
    writes = []
    for number in range(40):
        stores = processes[number % 2]
        writes.append(stores.revocations.cut(Consequences(cuts=[subject])))
        writes.append(stores.revocations.cut(Consequences(cuts=[shop], events=recorded().events)))
        writes.append(stores.users.replace(user, Consequences(cuts=[subject], events=recorded().events)))
    answers = await asyncio.gather(*writes)
    assert answers.count(True) == 1
    assert len(await processes[0].proven_rows()) == 41
