"""Conformance of ``Eviction`` for what sign-ins leave behind: sessions, codes, pushed requests, jobs."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select

from authcenter.core.authorization import PushedRequest
from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.digest import Digest
from authcenter.core.ids import ClientId, FamilyId
from authcenter.core.sign_up import SignUpLink
from authcenter.stores.ports.eviction import DEAD_JOBS_KEPT, KEPT_AFTER_END, KEPT_AFTER_LAST_TOKEN, Evictable
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.sign_in_tables import initial_access_tokens, outbox
from tests.integration.stores.backends import Stores, sql_stores
from tests.integration.stores.samples import a_family, a_session
from tests.integration.stores.test_codes import a_code
from tests.integration.stores.test_devices import a_device

MOST = 100
SLACK, DAY = timedelta(minutes=10), timedelta(days=1)
END, LAST = KEPT_AFTER_END, KEPT_AFTER_LAST_TOKEN
LONG, JUST = END + SLACK, END - SLACK
A, B, C, D = (Digest(bytes([number]) * 32) for number in range(4))


async def left(stores: Stores) -> list[str]:
    """Names of what is still there."""
    found = {
        **{f"code {n}": await stores.codes.find(digest) for n, digest in enumerate((A, B, C, D))},
        **{f"device {n}": await stores.device_codes.find(digest) for n, digest in enumerate((A, B, C, D))},
        **{f"pushed {n}": await stores.pushed.find(digest) for n, digest in enumerate((A, B, C, D))},
        **{f"link {n}": await stores.sign_ups.find(digest) for n, digest in enumerate((A, B, C, D))},
        **{f"session {n}": await stores.sessions.get(f"session {n}") for n in range(4)},
    }
    return [name for name, one in found.items() if one is not None]


async def codes(stores: Stores, now: datetime) -> None:
    for digest, ago in zip((A, B, C), (LONG, JUST, -DAY), strict=True):
        await stores.codes.add(a_code(digest=digest, sign_in={}, expires_at=now - ago), NO_CONSEQUENCES)


async def devices(stores: Stores, now: datetime) -> None:
    for digest, ago in zip((A, B, C), (LONG, JUST, -DAY), strict=True):
        await stores.device_codes.add(a_device(digest=digest, user_code_digest=digest, expires_at=now - ago))


async def pushed(stores: Stores, now: datetime) -> None:
    for digest, ago in zip((A, B, C), (LONG, JUST, -DAY), strict=True):
        await stores.pushed.add(PushedRequest(digest, ClientId("shop"), {}, (), now - ago, spent_at=now - ago))


async def sign_ups(stores: Stores, now: datetime) -> None:
    for digest, ago in zip((A, B, C), (LONG, JUST, -DAY), strict=True):
        await stores.sign_ups.add(SignUpLink(digest, "jo@example.com", now - DAY, now - ago, now), NO_CONSEQUENCES)


async def sessions(stores: Stores, now: datetime) -> None:
    for number, ago in enumerate((LONG, JUST, -DAY)):
        one = a_session(f"session {number}", expires_at=now - ago)
        await stores.sessions.add(one, (A, B, C)[number], NO_CONSEQUENCES)
        await stores.sessions.note_client(one.session_id, "shop", now)


@pytest.mark.parametrize(
    ("table", "write", "name"),
    [
        (Evictable.CODES, codes, "code"),
        (Evictable.DEVICE_CODES, devices, "device"),
        (Evictable.PUSHED_REQUESTS, pushed, "pushed"),
        (Evictable.SESSIONS, sessions, "session"),
        (Evictable.ADDRESS_VERIFICATIONS, sign_ups, "link"),
    ],
    ids=lambda value: value if isinstance(value, Evictable) else "",
)
async def test_what_lapsed_an_hour_ago_goes(
    stores: Stores, table: Evictable, write: Callable[[Stores, datetime], Awaitable[None]], name: str
) -> None:
    await write(stores, await stores.revocations.now())
    assert await stores.eviction.backlog(table, MOST) == 1
    assert [await stores.eviction.evict(table, MOST) for _ in range(2)] == [1, 0]
    assert await left(stores) == [f"{name} 1", f"{name} 2"]
    assert await stores.eviction.backlog(table, MOST) == 0


@pytest.mark.parametrize(("given", "stays"), [(LAST + SLACK, False), (LAST - SLACK, True)], ids=["dead", "living"])
async def test_a_redeemed_code_goes_with_the_family_it_opened(stores: Stores, given: timedelta, stays: bool) -> None:
    now = await stores.revocations.now()
    old = now - given
    for number, (digest, name) in enumerate(((A, "f1"), (B, "f2"))):
        await stores.codes.add(
            a_code(digest=digest, family_id=FamilyId(name), sign_in={}, expires_at=old), NO_CONSEQUENCES
        )
        device = a_device(digest=digest, user_code_digest=digest, family_id=FamilyId(f"d{name}"), expires_at=old)
        await stores.device_codes.add(device)
        # The second one's family lives.
        family = a_family(family_id=FamilyId(name), approved_at=old, expires_at=now + number * 3 * DAY - DAY)
        assert await stores.codes.redeem(digest, old, family, None)
        of_device = replace(family, family_id=FamilyId(f"d{name}"))
        assert await stores.device_codes.redeem(digest, old, of_device, None)
    for table in (Evictable.CODES, Evictable.DEVICE_CODES):
        assert await stores.eviction.backlog(table, MOST) == 0
        assert await stores.eviction.evict(table, MOST) == 0
    assert await stores.eviction.evict(Evictable.FAMILIES, MOST) == (0 if stays else 2)
    first = ["code 0", "device 0"] if stays else []
    assert await left(stores) == sorted([*first, "code 1", "device 1"])


async def test_a_session_stays_while_a_family_of_it_does_and_then_goes_with_its_clients(stores: Stores) -> None:
    now = await stores.revocations.now()
    await sessions(stores, now)
    family = a_family(sign_in={"sid": "session 0"}, approved_at=now - 3 * DAY, expires_at=now + DAY)
    await stores.codes.add(a_code(sign_in={}, family_id=family.family_id), NO_CONSEQUENCES)
    assert await stores.codes.redeem(a_code().digest, now, family, None)
    assert await stores.eviction.evict(Evictable.SESSIONS, MOST) == 0
    assert await stores.sessions.end("session 0", now - LONG, NO_CONSEQUENCES)
    assert await stores.sessions.end("session 1", now - JUST, NO_CONSEQUENCES)
    assert await stores.eviction.backlog(Evictable.SESSIONS, MOST) == 1
    assert await stores.eviction.evict(Evictable.SESSIONS, MOST) == 1
    assert [name for name in await left(stores) if name.startswith("session")] == ["session 1", "session 2"]
    assert await stores.sessions.clients_of("session 0") == []
    assert await stores.sessions.clients_of("session 2") == ["shop"]


async def test_jobs_that_are_over_and_initial_access_tokens_that_lapsed_go(sql_url: str) -> None:
    database = Database(sql_url)
    try:
        stores = sql_stores(database)
        now = await stores.revocations.now()
        job = {"job": "mail", "payload": {}, "attempts": 1, "holder": "", "last_error": ""}
        job |= {"created_at": now - DAY, "due_at": now - DAY}
        given_up = [now - DEAD_JOBS_KEPT - SLACK, now - DEAD_JOBS_KEPT + SLACK]
        ends = [(now - LONG, None), (now - JUST, None), *((None, dead) for dead in given_up), (None, None)]
        jobs = [job | {"job_id": str(n), "done_at": done, "dead_at": dead} for n, (done, dead) in enumerate(ends)]
        token = {"created_at": now, "created_by": "cli", "uses_left": 1}
        tokens = [
            token | {"token_id": str(n), "digest": (A, B, C)[n], "expires_at": now - ago}
            for n, ago in enumerate((LONG, JUST, -DAY))
        ]
        async with database.writing() as connection:
            await connection.execute(insert(outbox), jobs)
            await connection.execute(insert(initial_access_tokens), tokens)
        for table in (Evictable.OUTBOX, Evictable.DEAD_JOBS, Evictable.INITIAL_ACCESS_TOKENS):
            assert await stores.eviction.backlog(table, MOST) == 1
            assert [await stores.eviction.evict(table, MOST) for _ in range(2)] == [1, 0]
        async with database.reading() as connection:
            kept = (await connection.execute(select(outbox.c.job_id).order_by(outbox.c.job_id))).scalars()
            assert list(kept) == ["1", "3", "4"]
            kept = (await connection.execute(select(initial_access_tokens.c.token_id))).scalars()
            assert sorted(kept) == ["1", "2"]
    finally:
        await database.close()
