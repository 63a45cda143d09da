"""Signing keys in SQL."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.ids import Kid
from authcenter.stores.ports.keys import SigningKeyStore, StoredKey
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import signing_keys
from authcenter.stores.sql.transactions import Transactions


class SqlSigningKeyStore(SigningKeyStore):
    """Keys in the table ``signing_keys``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def list_keys(self) -> Sequence[StoredKey]:
        async with self._database.reading() as connection:
            rows = await connection.execute(select(signing_keys).order_by(signing_keys.c.created_at))
            return [
                StoredKey(
                    kid=Kid(row.kid),
                    alg=row.alg,
                    public_jwk=row.public_jwk,
                    private_pem=row.private_pem,
                    created_at=row.created_at,
                    signs_from=row.signs_from,
                    retired_at=row.retired_at,
                    revoked_at=row.revoked_at,
                )
                for row in rows
            ]

    async def add(self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES) -> None:
        async def write(connection: AsyncConnection) -> bool:
            await connection.execute(insert(signing_keys).values(asdict(key)))
            return True

        await self._transactions.commit(write, consequences)

    async def replace(
        self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES, *, successor: StoredKey | None = None
    ) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            # Nothing is written over a revocation, whoever read the key before it.
            standing = signing_keys.c.kid == key.kid, signing_keys.c.revoked_at.is_(None)
            if (await connection.execute(update(signing_keys).where(*standing).values(asdict(key)))).rowcount == 0:
                return False
            if successor is not None:
                await connection.execute(insert(signing_keys).values(asdict(successor)))
            return True

        return await self._transactions.commit(write, consequences)
