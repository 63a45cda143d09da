"""A person signs in everywhere at once: as many sessions are left as may be, and what gave way is dead."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

from authcenter.accounts.sessions import Sessions
from authcenter.core.clock import SystemClock
from authcenter.core.digest import Digest
from authcenter.core.errors import SessionsFull
from authcenter.core.event import EventKind
from authcenter.core.job import Room
from authcenter.core.relying_party import RelyingParty
from authcenter.core.session import Session
from authcenter.core.user import User
from authcenter.sdk.replica import RevocationReplica
from authcenter.settings.policy_sections import SessionPolicy
from authcenter.stores.ports.outbox import Outbox
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import SOME_TIME, a_bare_client, a_family, a_refresh_token, a_user
from tests.workbench import ORIGIN

LOGINS, MOST = 50, 5


def over(stores: Stores, policy: SessionPolicy) -> Sessions:
    replica = RevocationReplica(8)
    return Sessions(
        stores.sessions,
        stores.sessions,
        stores.users,
        lambda: policy,
        lambda: replica,
        SystemClock(),
        timedelta(days=1),
    )


async def somebody(stores: Stores) -> User:
    user = a_user(disabled_at=None, cut_at=None)
    await stores.users.add(user, "")
    return user


async def sign_in_everywhere(
    processes: tuple[Stores, Stores], user: User, policy: SessionPolicy
) -> list[Session | None]:
    """Fifty at once, over two processes; None: rejected."""
    instances = [over(stores, policy) for stores in processes]

    async def sign_in(number: int) -> Session | None:
        cookie = Digest(hashlib.sha256(str(number).encode()).digest())
        try:
            return await instances[number % 2].sign_in(user, cookie, ORIGIN, amr=["pwd"])
        except SessionsFull:
            return None

    return list(await asyncio.gather(*(sign_in(number) for number in range(LOGINS))))


async def test_of_fifty_sign_ins_at_once_five_sessions_are_left(processes: tuple[Stores, Stores]) -> None:
    stores, user = processes[0], await somebody(processes[0])
    opened = await sign_in_everywhere(processes, user, SessionPolicy(max_per_user=MOST))
    alive = {session.session_id for session in await stores.sessions.list_of(user.subject)}
    assert None not in opened
    assert len(alive) == MOST
    ended = {session.session_id for session in opened if session} - alive
    rows = await stores.proven_rows()
    assert len([row for row in rows if row.event == EventKind.SESSION_STARTED]) == LOGINS
    assert len([row for row in rows if row.event == EventKind.SESSION_ENDED]) == len(ended) == LOGINS - MOST
    cut = {row.value for row in (await stores.revocations.all_cuts(SystemClock().now()))}
    assert cut == ended


async def test_where_the_policy_rejects_five_of_fifty_get_in(processes: tuple[Stores, Stores]) -> None:
    user = await somebody(processes[0])
    opened = await sign_in_everywhere(processes, user, SessionPolicy(max_per_user=MOST, when_full="reject"))
    alive = {session.session_id for session in await processes[0].sessions.list_of(user.subject)}
    assert alive == {session.session_id for session in opened if session}
    assert len(alive) == MOST


async def jobs_of(outbox: Outbox) -> list[tuple[str, str]]:
    claimed = await outbox.claim("tests", {"backchannel_logout"}, timedelta(minutes=1), Room(100, 100))
    return [(one.job.payload["sid"], one.job.payload["client_id"]) for one in claimed]


async def test_what_gives_way_ends_with_its_tokens_and_its_clients_are_told(stores: Stores) -> None:
    user, sessions = await somebody(stores), over(stores, SessionPolicy(max_per_user=1))
    party = RelyingParty(backchannel_logout_uri="https://shop.example/back")
    await stores.clients.add(replace(a_bare_client("shop"), relying_party=party))
    first = await sessions.sign_in(user, Digest(b"1" * 32), ORIGIN, amr=["pwd"])
    await stores.sessions.note_client(first.session_id, "shop", SOME_TIME)
    family = a_family(subject=user.subject, sign_in={"sid": first.session_id})
    await stores.refresh_tokens.open_family(family, a_refresh_token(family.family_id, "first"))
    second = await sessions.sign_in(user, Digest(b"2" * 32), ORIGIN, amr=["pwd"])
    assert [one.session_id for one in await stores.sessions.list_of(user.subject)] == [second.session_id]
    held = await stores.refresh_tokens.find("first")
    assert held is not None
    assert held.family.ended_at is not None
    assert await jobs_of(stores.outbox) == [(first.session_id, "shop")]
    assert await sessions.current(Digest(b"1" * 32)) is None
