"""Passkeys in SQL: table ``passkeys``."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.ids import Subject
from authcenter.core.passkey import Added, Passkey
from authcenter.stores.ports.passkeys import PasskeyStore
from authcenter.stores.sql.account_tables import identities, passkeys, recovery_codes
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.second_factors import drop_orphaned_codes, replace_codes
from authcenter.stores.sql.tables import users
from authcenter.stores.sql.transactions import Transactions

_ROW = passkeys.c


class SqlPasskeyStore(PasskeyStore):
    """Passkeys in the table ``passkeys``; its key makes them unique."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def find(self, credential_id: bytes) -> Passkey | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(passkeys).where(_ROW.credential_id == credential_id))).first()
            return _passkey(row) if row else None

    async def list_of(self, subject: str) -> Sequence[Passkey]:
        held = select(passkeys).where(_ROW.subject == subject).order_by(_ROW.created_at, _ROW.credential_id)
        async with self._database.reading() as connection:
            return [_passkey(row) for row in await connection.execute(held)]

    async def add(self, passkey: Passkey, codes: Sequence[str], at_most: int, consequences: Consequences) -> Added:
        subject, codes_kept = passkey.subject, False
        held = select(func.count()).select_from(passkeys).where(_ROW.subject == subject)
        code = recovery_codes.c
        usable = select(exists().where(code.subject == subject, code.spent_at.is_(None)))

        async def write(connection: AsyncConnection) -> bool:
            nonlocal codes_kept
            owner = await _locked_owner(connection, subject)
            if owner is None or owner.disabled_at is not None:
                return False
            if (await connection.execute(held)).scalar_one() >= at_most:
                return False
            await connection.execute(insert(passkeys).values(_row(passkey)))
            codes_kept = not (await connection.execute(usable)).scalar_one()
            if codes_kept:
                await replace_codes(connection, subject, codes, passkey.created_at)
            return True

        done = await self._transactions.commit(write, consequences)
        return Added(done, done and codes_kept)

    async def use(self, passkey: Passkey, at: datetime) -> bool:
        farther = _ROW.sign_count < passkey.sign_count
        if passkey.sign_count == 0:
            farther = or_(farther, _ROW.sign_count == 0)
        told = {"sign_count": passkey.sign_count, "backed_up": passkey.backed_up, "used_at": at}
        used = update(passkeys).where(*_named(passkey), farther).values(**told, revision=_ROW.revision + 1)

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(used)).rowcount == 1

        return await self._transactions.commit(write)

    async def remove(
        self, passkey: Passkey, consequences: Consequences, *, among: Collection[str] | None = None
    ) -> bool:
        linked = identities.c
        ways = or_(
            exists().where(_ROW.subject == passkey.subject),
            exists().where(linked.subject == passkey.subject, linked.provider.in_(among or ())),
        )

        async def write(connection: AsyncConnection) -> bool:
            # The user's row first: of two ways that are removed at once, one is counted after the other has gone.
            await _locked_owner(connection, passkey.subject)
            if (await connection.execute(delete(passkeys).where(*_named(passkey)))).rowcount == 0:
                return False
            if among is not None and not (await connection.execute(select(ways))).scalar_one():
                return False
            await drop_orphaned_codes(connection, passkey.subject)
            return True

        return await self._transactions.commit(write, consequences)


async def _locked_owner(connection: AsyncConnection, subject: str) -> Row[Any] | None:
    wanted = select(users.c.disabled_at).where(users.c.subject == subject)
    return (await connection.execute(wanted.with_for_update())).first()


def _named(passkey: Passkey) -> tuple[Any, Any]:
    return _ROW.credential_id == passkey.credential_id, _ROW.subject == passkey.subject


def _row(passkey: Passkey) -> dict[str, Any]:
    return {
        "credential_id": passkey.credential_id,
        "subject": passkey.subject,
        "public_key": passkey.public_key,
        "sign_count": passkey.sign_count,
        "transports": list(passkey.transports),
        "aaguid": passkey.aaguid,
        "name": passkey.name,
        "backed_up": passkey.backed_up,
        "created_at": passkey.created_at,
        "used_at": passkey.used_at,
        "revision": passkey.revision,
    }


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(
        credential_id=row.credential_id,
        subject=Subject(row.subject),
        public_key=row.public_key,
        sign_count=row.sign_count,
        transports=tuple(row.transports),
        aaguid=row.aaguid,
        name=row.name,
        backed_up=row.backed_up,
        created_at=row.created_at,
        used_at=row.used_at,
        revision=row.revision,
    )
