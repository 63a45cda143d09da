"""Conformance of ``PersonStore`` and of emptying audit rows: a person goes from every table, the chain holds."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, insert, select

from authcenter.audit.chain import emptied_fields, erased_rows, first_break
from authcenter.audit.erasure import Erasure, erasure_of
from authcenter.core.consent import Consent
from authcenter.core.cut import Consequences, Cut, CutKind
from authcenter.core.digest import Digest
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import ClientId, RequestId, Subject
from authcenter.core.origin import RequestOrigin
from authcenter.core.user import User
from authcenter.stores.sql.account_tables import (
    address_verifications,
    identities,
    passkeys,
    password_reset_tokens,
    recovery_codes,
    totp_secrets,
)
from authcenter.stores.sql.database import Database
from tests.integration.stores.backends import KEYS, Stores, sql_stores
from tests.integration.stores.samples import (
    AWKWARD,
    SOME_TIME,
    a_family,
    a_refresh_token,
    a_session,
    a_user,
    an_event,
)

ADA = a_user(disabled_at=None, cut_at=None, revision=1)
BOB = a_user("Bob", disabled_at=None, cut_at=None, revision=1)
LATER = SOME_TIME + timedelta(days=36_500)


def nobody(user: User) -> User:
    erased = SOME_TIME + timedelta(hours=5)
    email = f"{user.subject}@erased.invalid"
    return replace(user, username=str(user.subject), email=email, claims={}, disabled_at=erased, erased_at=erased)


def by(user: User, ip: str = "192.0.2.7") -> Event:
    origin = RequestOrigin(RequestId("request"), ip=ip, user_agent=f"{user.username}'s browser")
    return Event(EventKind.SESSION_STARTED, user.subject, subject=user.subject, origin=origin, context={"sid": "s"})


async def settled(stores: Stores, user: User) -> None:
    """A user with a session, a family, a consent and two audit rows."""
    await stores.users.add(user, "a hash", Consequences(events=(by(user),)))
    session = a_session(f"session of {user.username}", subject=user.subject, expires_at=LATER)
    await stores.sessions.add(session, Digest(user.subject.encode().ljust(32)[:32]), Consequences(events=(by(user),)))
    family = a_family(subject=user.subject, expires_at=LATER, sign_in={})
    await stores.refresh_tokens.open_family(family, a_refresh_token(family.family_id, user.subject))
    consent = Consent(
        Subject(user.subject), ClientId("shop"), family.scope, frozenset(), frozenset(), SOME_TIME, SOME_TIME
    )
    await stores.consents.put(consent, Consequences())


async def erase(stores: Stores, user: User, erasure: Erasure | None = None) -> bool:
    erasure = erasure or erasure_of(user, await stores.audit.rows_about(user.subject, 100), KEYS.prove)
    assert erasure is not None
    cut = Cut(CutKind.SUBJECT, user.subject, "account deleted", expires_at=LATER)
    return await stores.persons.erase(nobody(user), erasure.rows, Consequences(events=(erasure.event,), cuts=(cut,)))


async def test_a_person_is_gone_and_everybody_else_is_not(stores: Stores) -> None:
    await settled(stores, ADA)
    await settled(stores, BOB)
    assert await erase(stores, ADA)
    assert await stores.users.find_credentials("Ada") is None
    assert await stores.users.find_credentials(ADA.email) is None
    left = await stores.users.find_credentials(nobody(ADA).email)
    assert left is not None
    assert left.password_hash == ""
    assert replace(left.user, revision=1, cut_at=None) == nobody(ADA)
    assert await stores.consents.list_of(ADA.subject) == []
    assert await stores.sessions.list_of(ADA.subject) == []
    ended = await stores.sessions.get("session of Ada")
    assert ended is not None
    assert (ended.ended_at is None, ended.ip, ended.user_agent) == (False, "", "")
    (grant,) = await stores.persons.holdings(ADA.subject)
    assert dict(grant.about)["ended"] is True
    assert await stores.users.find(BOB.subject) == BOB
    assert len(await stores.consents.list_of(BOB.subject)) == 1
    (session,) = await stores.sessions.list_of(BOB.subject)
    assert session.ip == a_session().ip
    assert dict((await stores.persons.holdings(BOB.subject))[0].about)["ended"] is False


async def test_name_and_address_are_free_again(stores: Stores) -> None:
    await settled(stores, ADA)
    await erase(stores, ADA)
    await stores.users.add(replace(a_user(), disabled_at=None), "another hash")
    found = await stores.users.find_credentials("ada")
    assert found is not None
    assert found.user.subject != ADA.subject


async def test_the_chain_holds_after_an_erasure_and_tells_what_was_emptied(stores: Stores) -> None:
    await settled(stores, ADA)
    await settled(stores, BOB)
    await erase(stores, ADA)
    rows = await stores.proven_rows()
    assert [emptied_fields(row) for row in erased_rows(rows)] == [
        frozenset({"actor", "subject", "ip", "user_agent"})
    ] * 2
    assert ADA.subject not in repr(rows)
    assert "Ada's browser" not in repr(rows)
    assert repr(rows).count("Bob's browser") == 2
    assert rows[-1].event == EventKind.AUDIT_ERASED
    assert await stores.audit.rows_about(ADA.subject, 100) == []
    # And goes on holding.
    await stores.audit.append(an_event())
    assert len(await stores.proven_rows()) == len(rows) + 1


async def test_a_tampered_row_is_still_found_after_an_erasure(stores: Stores) -> None:
    await settled(stores, ADA)
    await settled(stores, BOB)
    await erase(stores, ADA)
    rows = await stores.proven_rows()
    for index, row in enumerate(rows[:-1]):
        altered = replace(row, context='{"sid":"t"}')
        assert first_break([*rows[:index], altered, *rows[index + 1 :]], KEYS.proves) == altered
    bobs = next(row for row in rows if row.actor == BOB.subject)
    emptied = erasure_of(BOB, [bobs], KEYS.prove)
    assert emptied is not None
    quietly = [emptied.rows[0].row if row == bobs else row for row in rows]
    assert first_break(quietly, KEYS.proves) == emptied.rows[0].row


async def test_nothing_is_erased_from_a_user_who_was_written_meanwhile(stores: Stores) -> None:
    await settled(stores, ADA)
    before = await stores.proven_rows()
    assert await stores.users.replace(replace(ADA, email_verified=False))
    assert not await erase(stores, ADA)
    assert await stores.proven_rows() == before
    assert len(await stores.consents.list_of(ADA.subject)) == 1
    assert len(await stores.sessions.list_of(ADA.subject)) == 1


async def test_nothing_is_erased_where_a_row_was_emptied_meanwhile(stores: Stores) -> None:
    await settled(stores, ADA)
    stale = erasure_of(ADA, await stores.audit.rows_about(ADA.subject, 100), KEYS.prove)
    assert stale is not None
    assert await stores.audit.empty(stale.rows[:1], Consequences(events=(stale.event,)))
    before = list(await stores.audit.rows())
    assert not await erase(stores, ADA, stale)
    assert not await stores.audit.empty(stale.rows, Consequences(events=(stale.event,)))
    assert list(await stores.audit.rows()) == before
    assert (await stores.users.find(ADA.subject)) == ADA


async def test_of_two_erasures_at_once_one_happens(processes: tuple[Stores, Stores]) -> None:
    await settled(processes[0], ADA)
    erasure = erasure_of(ADA, await processes[0].audit.rows_about(ADA.subject, 100), KEYS.prove)
    answers = await asyncio.gather(*(erase(stores, ADA, erasure) for stores in processes))
    assert sorted(answers) == [False, True]
    assert len([row for row in await processes[0].proven_rows() if row.event == EventKind.AUDIT_ERASED]) == 1


async def test_the_newest_rows_about_somebody_come_first(stores: Stores) -> None:
    for number in range(4):
        await stores.audit.append(by(ADA if number != 1 else BOB, ip=f"192.0.2.{number}"))
    rows = await stores.audit.rows_about(ADA.subject, 2)
    assert [row.ip for row in rows] == ["192.0.2.3", "192.0.2.2"]


async def test_what_is_written_about_a_person_in_the_tables_of_accounts_goes(sql_url: str) -> None:
    database = Database(sql_url)
    stores = sql_stores(database)
    try:
        await settled(stores, ADA)
        await settled(stores, BOB)
        async with database.writing() as connection:
            for user in (ADA, BOB):
                for table, row in _rows(user):
                    await connection.execute(insert(table).values(row))
        kinds = [one.kind for one in await stores.persons.holdings(ADA.subject)]
        assert dict((await stores.persons.holdings(ADA.subject))[0].about)["scope"] == "read write"
        assert kinds == ["grant", "identity", "totp", "recovery_codes", "passkey"]
        told = repr(await stores.persons.holdings(ADA.subject))
        for secret in ("sealed", "the mac", "public key"):
            assert secret not in told
        assert await erase(stores, ADA)
        assert [one.kind for one in await stores.persons.holdings(ADA.subject)] == ["grant"]
        async with database.reading() as connection:
            for table, _ in _rows(ADA):
                left = (await connection.execute(select(table.c.subject))).scalars().all()
                assert set(left) <= {BOB.subject, None}, table.name
                assert len(left) == (2 if table is address_verifications else 1), table.name
    finally:
        await database.close()


def _rows(user: User) -> list[tuple[Table, dict[str, Any]]]:
    mine = {"subject": user.subject, "created_at": SOME_TIME}
    link = {**mine, "expires_at": LATER}
    key = user.subject.encode()
    other = "x@example.com", "ada@example.com" if user is ADA else "bob@example.com"
    asked = {"purpose": "x", "email": AWKWARD}
    return [
        (password_reset_tokens, {**link, "digest": key}),
        (address_verifications, {**link, **asked, "digest": key, "email_key": f"{other[0]}{user.username}"}),
        (address_verifications, {**link, **asked, "digest": key + b"2", "subject": None, "email_key": other[1]}),
        (
            identities,
            {
                "provider": "example",
                "provider_subject": user.username,
                "subject": user.subject,
                "email": AWKWARD,
                "name": AWKWARD,
                "linked_at": SOME_TIME,
                "used_at": SOME_TIME,
            },
        ),
        (totp_secrets, {**mine, "sealed_secret": b"sealed", "last_step": 0}),
        (recovery_codes, {**mine, "mac": "the mac"}),
        (
            passkeys,
            {
                **mine,
                "credential_id": key,
                "public_key": b"public key",
                "sign_count": 1,
                "transports": [],
                "aaguid": "",
                "name": AWKWARD,
                "backed_up": True,
                "revision": 1,
            },
        ),
    ]
