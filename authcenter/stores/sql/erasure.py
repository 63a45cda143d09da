"""Persons in SQL: what hangs on one, in all tables."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.user import User
from authcenter.stores.ports.audit import EmptiedRow
from authcenter.stores.ports.erasure import Holding, PersonStore
from authcenter.stores.sql.account_tables import (
    address_verifications,
    identities,
    passkeys,
    password_reset_tokens,
    recovery_codes,
    totp_secrets,
)
from authcenter.stores.sql.audit import empty_rows
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.sign_in_tables import consents, sessions
from authcenter.stores.sql.tables import families, users
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.users import replace_user

_DELETED = (identities, totp_secrets, recovery_codes, passkeys, password_reset_tokens, consents)


class SqlPersonStore(PersonStore):
    """All tables that have a person's rows."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def holdings(self, subject: str) -> Sequence[Holding]:
        async with self._database.reading() as connection:
            return [
                *[_grant(row) for row in await _of(connection, families, subject, "approved_at")],
                *[_identity(row) for row in await _of(connection, identities, subject, "linked_at")],
                *[_totp(row) for row in await _of(connection, totp_secrets, subject, "created_at")],
                *await _recovery_codes(connection, subject),
                *[_passkey(row) for row in await _of(connection, passkeys, subject, "created_at")],
            ]

    async def erase(self, user: User, audit: Sequence[EmptiedRow], consequences: Consequences) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            # The owner first, as cuts take their rows.
            held = select(users.c.email_key).where(users.c.subject == user.subject).with_for_update()
            address = (await connection.execute(held)).scalar_one_or_none()
            if not await replace_user(connection, user, ""):
                return False
            unnamed = update(sessions).where(sessions.c.subject == user.subject).values(ip="", user_agent="")
            await connection.execute(unnamed)
            for table in _DELETED:
                await connection.execute(delete(table).where(table.c.subject == user.subject))
            link = address_verifications.c
            mine = or_(link.subject == user.subject, and_(link.subject.is_(None), link.email_key == address))
            await connection.execute(delete(address_verifications).where(mine))
            return await empty_rows(connection, audit)

        return await self._transactions.commit(write, consequences)


async def _of(connection: AsyncConnection, table: Any, subject: str, since: str) -> Sequence[Row[Any]]:
    rows = select(table).where(table.c.subject == subject).order_by(table.c[since])
    return (await connection.execute(rows)).all()


def _grant(row: Row[Any]) -> Holding:
    about = ("scope", row.scope), ("ended", row.ended_at is not None), ("known_as", row.known_as)
    return Holding("grant", row.client_id, row.approved_at, row.rotated_at, about)


def _identity(row: Row[Any]) -> Holding:
    about = ("provider_subject", row.provider_subject), ("email", row.email), ("name", row.name)
    return Holding("identity", row.provider, row.linked_at, row.used_at, about)


def _totp(row: Row[Any]) -> Holding:
    return Holding("totp", "", row.created_at, None, (("confirmed", row.confirmed_at is not None),))


async def _recovery_codes(connection: AsyncConnection, subject: str) -> Sequence[Holding]:
    code = recovery_codes.c
    counted = select(func.min(code.created_at), func.count(), func.count(code.spent_at), func.max(code.spent_at))
    made_at, codes, spent, used_at = (await connection.execute(counted.where(code.subject == subject))).one()
    return [Holding("recovery_codes", "", made_at, used_at, (("left", codes - spent),))] if codes else []


def _passkey(row: Row[Any]) -> Holding:
    return Holding("passkey", row.name, row.created_at, row.used_at, (("backed_up", row.backed_up),))
