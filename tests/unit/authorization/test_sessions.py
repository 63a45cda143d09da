"""Sessions: who is signed in, and until when."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from authcenter.accounts.sessions import Sessions
from authcenter.core.digest import Digest
from authcenter.core.event import EventKind
from authcenter.core.session import Session
from tests.workbench import ORIGIN, Workbench

COOKIE, NEXT = Digest(b"c" * 32), Digest(b"n" * 32)
LONGEST = timedelta(days=1)


@pytest.fixture
def sessions(bench: Workbench) -> Sessions:
    return over(bench)


def over(bench: Workbench) -> Sessions:
    stores = bench.stores
    return Sessions(
        stores.sessions,
        stores.sessions,
        stores.users,
        lambda: bench.policy.current.sessions,
        lambda: bench.core.revocations.replica,
        bench.clock,
        LONGEST,
    )


async def signed_in(bench: Workbench, sessions: Sessions, cookie: Digest = COOKIE, **options: object) -> Session:
    return await sessions.sign_in(bench.alice, cookie, ORIGIN, amr=["pwd"], **options)


async def test_a_sign_in_is_found_by_its_cookie(bench: Workbench, sessions: Sessions) -> None:
    session = await signed_in(bench, sessions)
    current = await sessions.current(COOKIE)
    assert current is not None
    assert (current.session, current.user) == (session, bench.alice)
    assert session.sign_in["auth_time"] == int(bench.clock.seconds())
    assert await sessions.current(NEXT) is None
    assert await sessions.current(None) is None
    assert [event.kind for event in bench.events] == [EventKind.SESSION_STARTED]


@pytest.mark.parametrize(
    ("policy", "seconds", "lives"),
    [
        pytest.param("sessions: {idle_ttl: 600}", 599, True, id="used a while ago"),
        pytest.param("sessions: {idle_ttl: 600}", 600, False, id="idle"),
        pytest.param("sessions: {idle_ttl: 600, max_ttl: 600}", 600, False, id="at its end"),
    ],
)
async def test_a_session_lapses(bench: Workbench, sessions: Sessions, policy: str, seconds: int, lives: bool) -> None:
    bench.offer(policy)
    await signed_in(bench, sessions)
    bench.clock.advance(seconds)
    assert (await sessions.current(COOKIE) is not None) is lives


async def test_use_keeps_a_session_and_is_written_at_most_once_a_minute(bench: Workbench, sessions: Sessions) -> None:
    bench.offer("sessions: {idle_ttl: 600, max_ttl: 2000}")
    await signed_in(bench, sessions)
    bench.board.asked.clear()
    for _ in range(30):
        bench.clock.advance(30)
        assert await sessions.current(COOKIE) is not None
    assert bench.board.asked.count("sessions.touch") == 15
    bench.clock.advance(1_100)
    assert await over(bench).current(COOKIE) is None


async def test_what_another_process_noted_counts(bench: Workbench, sessions: Sessions) -> None:
    bench.offer("sessions: {idle_ttl: 600}")
    session = await signed_in(bench, sessions)

    class Stale:
        async def find(self, cookie: str, /) -> Session | None:
            return session

    here = replace(sessions, lookup=Stale())
    bench.clock.advance(500)
    assert await over(bench).current(COOKIE) is not None
    bench.clock.advance(500)
    assert await here.current(COOKIE) is not None


async def test_a_session_goes_on_where_its_use_can_not_be_noted(bench: Workbench, sessions: Sessions) -> None:
    session = await signed_in(bench, sessions)

    class Known:
        async def find(self, key: str, /) -> object:
            return {COOKIE.hex(): session, session.subject: alice}[key]

    alice = bench.alice
    here = replace(sessions, lookup=Known(), users=Known())
    bench.clock.advance(120)
    bench.board.down = True
    assert await here.current(COOKIE) is not None


async def test_a_new_sign_in_renews_the_session_under_a_new_cookie(bench: Workbench, sessions: Sessions) -> None:
    before = await signed_in(bench, sessions)
    bench.clock.advance(60)
    after = await signed_in(bench, sessions, NEXT, before=before)
    assert after.session_id == before.session_id
    assert after.auth_time > before.auth_time
    assert after.created_at == before.created_at
    assert await sessions.current(COOKIE) is None
    assert await sessions.current(NEXT) is not None
    assert [event.kind for event in bench.events] == [EventKind.SESSION_STARTED, EventKind.SESSION_RENEWED]


async def test_a_new_sign_in_is_of_a_later_second_than_the_one_before(bench: Workbench, sessions: Sessions) -> None:
    before = await signed_in(bench, sessions)
    again = asyncio.create_task(signed_in(bench, sessions, NEXT, before=before))
    # It has looked at the clock, and waits.
    await asyncio.sleep(0)
    bench.clock.advance(1)
    assert (await again).auth_time > before.auth_time


async def test_another_person_ends_the_session_before(bench: Workbench, sessions: Sessions) -> None:
    before = await signed_in(bench, sessions)
    bob = replace(bench.alice, subject="usr_bob")
    after = await sessions.sign_in(bob, NEXT, ORIGIN, amr=["pwd"], before=before)
    assert after.session_id != before.session_id
    ended = await bench.stores.sessions.get(before.session_id)
    assert ended.ended_at is not None


async def test_an_ended_session_is_dead_at_once_and_ends_once(bench: Workbench, sessions: Sessions) -> None:
    session = await signed_in(bench, sessions)
    assert await sessions.end(session, "logout", "alice", ORIGIN)
    assert not await sessions.end(session, "logout", "alice", ORIGIN)
    assert await sessions.current(COOKIE) is None


@pytest.mark.parametrize("act", ["disable", "logout"])
async def test_what_cuts_a_person_off_ends_the_sessions(bench: Workbench, sessions: Sessions, act: str) -> None:
    session = await signed_in(bench, sessions)
    bench.clock.advance(5)
    await getattr(bench.core.accounts, act)("alice", actor="tests")
    assert await sessions.current(COOKIE) is None
    assert (await bench.stores.sessions.get(session.session_id)).ended_at is not None


async def test_a_cut_that_only_the_replica_knows_counts(bench: Workbench, sessions: Sessions) -> None:
    session = await signed_in(bench, sessions)

    class Stale:
        async def find(self, cookie: str, /) -> Session | None:
            return session

    assert await sessions.end(session, "logout", "alice", ORIGIN)
    await bench.follow()
    assert await replace(sessions, lookup=Stale()).current(COOKIE) is None
