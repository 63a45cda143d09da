"""Identities elsewhere, in SQL."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.identity import Identity
from authcenter.core.ids import Subject
from authcenter.core.user import User, name_key
from authcenter.stores.ports.identities import IdentityStore
from authcenter.stores.sql.account_tables import identities, passkeys
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import users
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.users import insert_user

NO_PASSWORD = ""
"""The hash that no password has."""


class SqlIdentityStore(IdentityStore):
    """Identities in the table ``identities``; its key makes them unique."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def find(self, provider: str, provider_subject: str) -> Identity | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(identities).where(*_named(provider, provider_subject)))).first()
            return _identity(row) if row else None

    async def list_of(self, subject: str) -> Sequence[Identity]:
        row = identities.c
        held = select(identities).where(row.subject == subject)
        async with self._database.reading() as connection:
            ordered = held.order_by(row.linked_at, row.provider, row.provider_subject)
            return [_identity(each) for each in await connection.execute(ordered)]

    async def open(self, user: User, identity: Identity, consequences: Consequences) -> None:
        async def write(connection: AsyncConnection) -> bool:
            await insert_user(connection, user, NO_PASSWORD)
            await connection.execute(insert(identities).values(_row(identity)))
            return True

        await self._transactions.commit(write, consequences)

    async def link(self, identity: Identity, consequences: Consequences, *, address: str | None = None) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            found = await _locked_user(connection, identity.subject)
            if found is None or found.disabled_at is not None:
                return False
            if address is not None and not (found.email_verified and found.email_key == name_key(address)):
                return False
            await connection.execute(insert(identities).values(_row(identity)))
            return True

        return await self._transactions.commit(write, consequences)

    async def used(self, identity: Identity) -> None:
        told = {"used_at": identity.used_at, "email": identity.email, "name": identity.name}
        one = update(identities).where(*_named(identity.provider, identity.provider_subject)).values(told)

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(one)).rowcount == 1

        await self._transactions.commit(write)

    async def remove(
        self, identity: Identity, consequences: Consequences, *, among: Collection[str] | None = None
    ) -> bool:
        theirs = identities.c.subject == identity.subject
        one = delete(identities).where(theirs, *_named(identity.provider, identity.provider_subject))

        async def write(connection: AsyncConnection) -> bool:
            # The user's row first: of two that are removed at once, one is counted after the other has gone.
            await _locked_user(connection, identity.subject)
            if (await connection.execute(one)).rowcount == 0:
                return False
            left = exists().where(theirs, identities.c.provider.in_(among or ()))
            way = or_(left, exists().where(passkeys.c.subject == identity.subject))
            return among is None or bool((await connection.execute(select(way))).scalar_one())

        return await self._transactions.commit(write, consequences)


async def _locked_user(connection: AsyncConnection, subject: str) -> Row[Any, Any, Any] | None:
    row = users.c
    wanted = select(row.disabled_at, row.email_key, row.email_verified).where(row.subject == subject)
    return (await connection.execute(wanted.with_for_update())).first()


def _named(provider: str, provider_subject: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return identities.c.provider == provider, identities.c.provider_subject == provider_subject


def _row(identity: Identity) -> dict[str, Any]:
    return {
        "provider": identity.provider,
        "provider_subject": identity.provider_subject,
        "subject": identity.subject,
        "email": identity.email,
        "name": identity.name,
        "linked_at": identity.linked_at,
        "used_at": identity.used_at,
    }


def _identity(row: Row[Any]) -> Identity:
    return Identity(
        provider=row.provider,
        provider_subject=row.provider_subject,
        subject=Subject(row.subject),
        email=row.email,
        name=row.name,
        linked_at=row.linked_at,
        used_at=row.used_at,
    )
