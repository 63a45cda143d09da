"""Signing keys in SQL, and the pause of their rotation."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.ids import Kid
from authcenter.stores.ports.keys import RotationPause, RotationPauses, SigningKeyStore, StoredKey
from authcenter.stores.sql.columns import Instant
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import key_rotation, signing_keys
from authcenter.stores.sql.transactions import Transactions


def stored_key(row: Row[Any]) -> StoredKey:
    """A row of ``signing_keys``."""
    return StoredKey(
        kid=Kid(row.kid),
        alg=row.alg,
        public_jwk=row.public_jwk,
        private_pem=row.private_pem,
        created_at=row.created_at,
        signs_from=row.signs_from,
        retired_at=row.retired_at,
        revoked_at=row.revoked_at,
    )


class SqlSigningKeyStore(SigningKeyStore):
    """Keys in the table ``signing_keys``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def list_keys(self) -> Sequence[StoredKey]:
        async with self._database.reading() as connection:
            rows = await connection.execute(select(signing_keys).order_by(signing_keys.c.created_at))
            return [stored_key(row) for row in rows]

    async def add(self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES) -> None:
        async def write(connection: AsyncConnection) -> bool:
            await connection.execute(insert(signing_keys).values(asdict(key)))
            return True

        await self._transactions.commit(write, consequences)

    async def succeed(
        self, key: StoredKey, predecessor: Kid | None, consequences: Consequences = NO_CONSEQUENCES
    ) -> bool:
        row = signing_keys.c
        line = select(row.kid).where(row.alg == key.alg, row.retired_at.is_(None), row.revoked_at.is_(None))
        last = line.order_by(row.signs_from.desc(), row.created_at.desc(), row.kid.desc()).with_for_update()

        async def write(connection: AsyncConnection) -> bool:
            # One row that all wait for: of an algorithm without a key there is none of its own to lock.
            await connection.execute(select(key_rotation.c.id).with_for_update())
            if (await connection.execute(last)).scalars().first() != predecessor:
                return False
            await connection.execute(insert(signing_keys).values(asdict(key)))
            return True

        return await self._transactions.commit(write, consequences)

    async def replace(
        self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES, *, successor: StoredKey | None = None
    ) -> bool:
        row = signing_keys.c
        # Nothing is written over a revocation, whoever read the key before it.
        ended = update(signing_keys).where(row.kid == key.kid, row.revoked_at.is_(None))
        ended = ended.values(revoked_at=key.revoked_at)
        if key.retired_at is not None:
            ended = ended.values(retired_at=_unless_retired(key.retired_at))
        if not key.private_pem:
            ended = ended.values(private_pem="")

        async def write(connection: AsyncConnection) -> bool:
            if (await connection.execute(ended)).rowcount == 0:
                return False
            if successor is not None:
                await connection.execute(insert(signing_keys).values(asdict(successor)))
            return True

        return await self._transactions.commit(write, consequences)

    async def relock(self, kid: Kid, before: str, after: str, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        row = signing_keys.c
        relocked = update(signing_keys).where(row.kid == kid, row.private_pem == before).values(private_pem=after)

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(relocked)).rowcount == 1

        return await self._transactions.commit(write, consequences)

    async def drop(self, kid: Kid, ceased_at: datetime, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        row = signing_keys.c
        dropped = update(signing_keys).where(row.kid == kid, row.private_pem != "")
        dropped = dropped.values(private_pem="", retired_at=_unless_retired(ceased_at))

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(dropped)).rowcount == 1

        return await self._transactions.commit(write, consequences)


class SqlRotationPauses(RotationPauses):
    """The one row of ``key_rotation``; it is always there."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def find(self) -> RotationPause | None:
        row = key_rotation.c
        async with self._database.reading() as connection:
            paused = select(key_rotation).where(row.paused_at.is_not(None))
            found = (await connection.execute(paused)).first()
            return RotationPause(found.paused_at, found.paused_until, found.paused_by) if found else None

    async def put(self, pause: RotationPause | None, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        if pause is None:
            changed = update(key_rotation).where(key_rotation.c.paused_at.is_not(None))
            changed = changed.values(paused_at=None, paused_until=None, paused_by="")
        else:
            changed = update(key_rotation).values(paused_at=pause.since, paused_until=pause.until, paused_by=pause.by)

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(changed)).rowcount == 1

        return await self._transactions.commit(write, consequences)


def _unless_retired(at: datetime) -> ColumnElement[datetime]:
    """What has been retired before stays so."""
    # A bare value beside a column of microseconds would be bound as the driver pleases.
    return func.coalesce(signing_keys.c.retired_at, literal(at, Instant))
