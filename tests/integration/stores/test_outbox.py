"""Conformance of ``Outbox``, and of what leaves jobs in it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from authcenter.core.cut import NO_CONSEQUENCES, Consequences, CutKind
from authcenter.core.digest import Digest
from authcenter.core.errors import Conflict
from authcenter.core.ids import Subject
from authcenter.core.job import ClaimedJob, Job, Room
from authcenter.core.relying_party import RelyingParty
from authcenter.stores.ports.eviction import DEAD_JOBS_KEPT, KEPT_AFTER_END, Evictable
from authcenter.stores.sql.database import Database, now_on
from authcenter.stores.sql.sign_in_tables import outbox
from tests.integration.stores.backends import Stores, sql_stores
from tests.integration.stores.samples import AWKWARD, SOME_TIME, a_bare_client, a_session, a_user, cutting, recorded

NOW, HOUR, LAPSED = timedelta(0), timedelta(hours=1), timedelta(seconds=-1)
COOKIE, OTHER = Digest(bytes(range(32))), Digest(bytes(range(1, 33)))
MAIL = {"mail"}


async def claimed(stores: Stores, lease: timedelta = HOUR, most: int = 100, **options: Any) -> list[ClaimedJob]:
    room = options.get("room") or Room(most, most)
    return [*await stores.outbox.claim(options.get("holder", "one"), options.get("names", MAIL), lease, room)]


async def test_a_job_is_claimed_as_it_was_left(stores: Stores) -> None:
    job = Job("mail", {"to": AWKWARD, "n": [1, None, {"x": True}]})
    await stores.outbox.add([job])
    (one,) = await claimed(stores)
    assert (one.job, one.attempts) == (job, 1)
    assert one.claim.startswith("one/")
    assert await claimed(stores) == []


async def test_a_job_for_later_waits(stores: Stores) -> None:
    later, now = Job("mail", {}, delay=timedelta(hours=1)), Job("mail", {})
    await stores.outbox.add([later, now])
    assert [one.job for one in await claimed(stores)] == [now]
    assert await claimed(stores) == []
    assert await stores.outbox.depth() == 2


async def test_the_same_job_twice_is_one(stores: Stores) -> None:
    job = Job("mail", {})
    await stores.outbox.add([job, replace(job, payload={"other": 1})])
    await stores.outbox.add([job])
    assert [one.job.payload for one in await claimed(stores)] == [{}]
    await stores.outbox.add([])
    assert await stores.outbox.depth() == 1


async def test_a_job_that_is_done_is_not_done_again_though_it_is_left_again(stores: Stores) -> None:
    job = Job("mail", {})
    await stores.outbox.add([job])
    (one,) = await claimed(stores)
    assert await stores.outbox.done(one)
    assert not await stores.outbox.done(one)
    await stores.outbox.add([job])
    assert await claimed(stores) == []
    assert await stores.outbox.depth() == 0


async def test_only_what_one_knows_how_to_do_is_claimed_and_no_more_than_asked(stores: Stores) -> None:
    await stores.outbox.add([Job("mail", {"n": number}) for number in range(5)])
    await stores.outbox.add([Job("other", {})])
    assert len(await claimed(stores, most=2)) == 2
    assert len(await claimed(stores, most=9)) == 3
    assert len(await claimed(stores, names={"other", "mail"})) == 1
    assert await stores.outbox.depth() == 6


def lane(client_id: str) -> str:
    return Job("mail", {"client_id": client_id}).lane


ROOMS = [
    pytest.param(Room(9, 2), "aabb-", id="a share each"),
    pytest.param(Room(3, 2), "aab", id="a share each, up to the most"),
    pytest.param(Room(9, 2, {lane("a"): 0}), "bb-", id="none for one"),
    pytest.param(Room(9, 2, {lane("a"): 1, lane("b"): 3}), "abbb-", id="less for one, more for another"),
    pytest.param(Room(9, 0, {lane("b"): 1, lane("c"): 1}), "b", id="for some alone"),
    pytest.param(Room(9, 0, {lane("c"): 1}), "", id="for who has nothing"),
    pytest.param(Room(9, 9, {"mail ": 0}), "aaaabbb", id="none for what is for nobody"),
]


@pytest.mark.parametrize(("room", "expected"), ROOMS)
async def test_each_lane_gets_what_there_is_room_for(stores: Stores, room: Room, expected: str) -> None:
    # One after another: all that comes in one write is due at the same instant.
    for client_id in "aaaabbb":
        await stores.outbox.add([Job("mail", {"client_id": client_id})])
    await stores.outbox.add([Job("mail", {})])
    brought = [one.job.client_id or "-" for one in await claimed(stores, room=room)]
    assert "".join(sorted(brought, key="ab-".index)) == expected


async def test_of_many_who_ask_at_once_each_job_goes_to_one(processes: tuple[Stores, Stores]) -> None:
    await processes[0].outbox.add([Job("mail", {"n": number}) for number in range(40)])
    asked = [claimed(processes[number % 2], most=7) for number in range(10)]
    given = [one.job.job_id for batch in await asyncio.gather(*asked) for one in batch]
    given += [one.job.job_id for one in await claimed(processes[0])]
    assert len(given) == len(set(given)) == 40


async def test_a_lease_that_has_lapsed_is_anothers_and_the_first_has_no_say(processes: tuple[Stores, Stores]) -> None:
    first, second = processes
    await first.outbox.add([Job("mail", {})])
    (dead,) = await claimed(first, LAPSED)
    (alive,) = await claimed(second)
    assert alive.attempts == 2
    assert not await first.outbox.keep(dead, HOUR)
    assert not await first.outbox.done(dead)
    assert not await first.outbox.postpone(dead, NOW, "x")
    assert not await first.outbox.bury(dead, "x")
    assert await second.outbox.done(alive)


async def test_who_is_still_at_it_keeps_it(stores: Stores) -> None:
    await stores.outbox.add([Job("mail", {})])
    (one,) = await claimed(stores, LAPSED)
    assert await stores.outbox.keep(one, HOUR)
    assert await claimed(stores) == []
    assert await stores.outbox.keep(one, LAPSED)
    (again,) = await claimed(stores)
    assert again.attempts == 2


async def test_what_failed_is_due_again_later(stores: Stores) -> None:
    await stores.outbox.add([Job("mail", {})])
    (one,) = await claimed(stores)
    assert await stores.outbox.postpone(one, HOUR, "e" * 1_000)
    assert await claimed(stores) == []
    assert await stores.outbox.depth() == 1


async def test_what_failed_may_be_due_at_once(stores: Stores) -> None:
    await stores.outbox.add([Job("mail", {})])
    (one,) = await claimed(stores)
    assert await stores.outbox.postpone(one, LAPSED, "status 500")
    (again,) = await claimed(stores)
    assert (again.attempts, again.job) == (2, one.job)


async def test_what_is_buried_stays_dead(stores: Stores) -> None:
    await stores.outbox.add([Job("mail", {})])
    (one,) = await claimed(stores, LAPSED)
    assert await stores.outbox.bury(one, "e" * 1_000)
    assert await claimed(stores) == []
    assert await stores.outbox.depth() == 0


async def test_what_waits_or_has_just_ended_is_not_evicted(stores: Stores) -> None:
    await stores.outbox.add([Job("mail", {"n": number}) for number in range(3)])
    done, dead, _ = await claimed(stores)
    await stores.outbox.done(done)
    await stores.outbox.bury(dead, "x")
    for table in (Evictable.OUTBOX, Evictable.DEAD_JOBS):
        assert await stores.eviction.backlog(table, 10) == 0
        assert await stores.eviction.evict(table, 10) == 0
    assert DEAD_JOBS_KEPT > HOUR


async def test_a_job_is_kept_with_the_write_it_follows_from_or_not_at_all(stores: Stores) -> None:
    user, job = a_user(), Job("mail", {})
    await stores.users.add(user, "", Consequences(jobs=(job,)))
    assert [one.job for one in await claimed(stores)] == [job]
    with pytest.raises(Conflict):
        await stores.users.add(user, "", Consequences(jobs=(Job("mail", {}),)))
    assert not await stores.users.replace(replace(user, revision=99), Consequences(jobs=(Job("mail", {}),)))
    assert await claimed(stores) == []


async def test_jobs_are_left_with_what_the_audit_log_says_of_them(stores: Stores) -> None:
    job = Job("mail", {})
    await stores.outbox.add([job], recorded().events)
    await stores.outbox.add([], recorded().events)
    assert [one.job for one in await claimed(stores)] == [job]
    assert len(await stores.proven_rows()) == 2


async def signed_in(stores: Stores) -> None:
    """Two sessions of a person at two clients that want to be told, and one that does not; one of somebody else."""
    for name in ("shop", "forum", "quiet"):
        uri = "" if name == "quiet" else f"https://{name}.example/back"
        await stores.clients.add(replace(a_bare_client(name), relying_party=RelyingParty(backchannel_logout_uri=uri)))
    for number, session_id in enumerate(("s1", "s2")):
        await stores.sessions.add(a_session(session_id), Digest(bytes([number]) * 32), NO_CONSEQUENCES)
        for name in ("shop", "forum", "quiet", "removed"):
            await stores.sessions.note_client(session_id, name, SOME_TIME)
    await stores.sessions.add(a_session("foreign", subject=Subject("usr_bob")), COOKIE, NO_CONSEQUENCES)
    await stores.sessions.note_client("foreign", "shop", SOME_TIME)
    await stores.sessions.add(a_session("alone"), OTHER, NO_CONSEQUENCES)


async def told(stores: Stores) -> list[tuple[str, str, str]]:
    jobs = [one.job for one in await claimed(stores, names={"backchannel_logout"})]
    return sorted((job.payload["sid"], job.payload["subject"], job.payload["client_id"]) for job in jobs)


async def test_the_end_of_a_session_is_told_to_each_client_that_wants_to_know(stores: Stores) -> None:
    await signed_in(stores)
    ended = [stores.sessions.end("s1", SOME_TIME, cutting(CutKind.SESSION, "s1")) for _ in range(3)]
    assert sorted(await asyncio.gather(*ended)) == [False, False, True]
    assert await told(stores) == [("s1", "usr_ada", "forum"), ("s1", "usr_ada", "shop")]


async def test_so_is_the_end_of_all_under_a_cut(stores: Stores) -> None:
    await signed_in(stores)
    await stores.revocations.cut(cutting(CutKind.SUBJECT, "usr_ada"))
    expected = [(sid, "usr_ada", name) for sid in ("s1", "s2") for name in ("forum", "shop")]
    assert await told(stores) == expected
    await stores.revocations.cut(cutting(CutKind.EVERYTHING, ""))
    assert await told(stores) == [("foreign", "usr_bob", "shop")]


@pytest.mark.parametrize(
    ("column", "table", "ago", "gone"),
    [
        ("done_at", Evictable.OUTBOX, KEPT_AFTER_END - HOUR / 2, 0),
        ("done_at", Evictable.OUTBOX, KEPT_AFTER_END + HOUR, 1),
        ("dead_at", Evictable.DEAD_JOBS, DEAD_JOBS_KEPT - HOUR, 0),
        ("dead_at", Evictable.DEAD_JOBS, DEAD_JOBS_KEPT + HOUR, 1),
    ],
)
async def test_what_ended_long_ago_is_evicted(
    sql_url: str, column: str, table: Evictable, ago: timedelta, gone: int
) -> None:
    database = Database(sql_url)
    try:
        stores = sql_stores(database)
        await stores.outbox.add([Job("mail", {}), Job("mail", {})])
        (one,) = await claimed(stores, most=1)
        long_ago = update(outbox).where(outbox.c.job_id == one.job.job_id)
        async with database.writing() as connection:
            await connection.execute(long_ago.values({column: await now_on(connection) - ago}))
        assert await stores.eviction.backlog(table, 10) == gone
        assert await stores.eviction.evict(table, 10) == gone
        assert await stores.outbox.depth() == 1
    finally:
        await database.close()
