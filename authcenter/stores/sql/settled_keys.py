"""The record's part where the signing keys are in Consul: their newest generation, and a copy in ``signing_keys``."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.stores.ports.keys import KeysSettlement, SettledKeys, StoredKey
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.keys import stored_key
from authcenter.stores.sql.tables import keys_document, signing_keys
from authcenter.stores.sql.transactions import Transactions


class SqlKeysSettlement(KeysSettlement):
    """The one row of ``keys_document``, which is always there, and the rows of ``signing_keys``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def settled(self) -> SettledKeys:
        # The generation first: keys that are newer than it are settled once more, never taken for older ones.
        async with self._database.reading() as connection:
            generation = (await connection.execute(select(keys_document.c.generation))).scalar_one()
            rows = await connection.execute(select(signing_keys).order_by(signing_keys.c.created_at))
            return SettledKeys(generation, [stored_key(row) for row in rows])

    async def settle(self, generation: int, keys: Sequence[StoredKey], consequences: Consequences) -> bool:
        # The row is locked by being changed: who comes second finds its generation settled.
        risen = update(keys_document).where(keys_document.c.generation < generation).values(generation=generation)

        async def write(connection: AsyncConnection) -> bool:
            if (await connection.execute(risen)).rowcount == 0:
                return False
            held = {row.kid: stored_key(row) for row in await connection.execute(select(signing_keys))}
            for key in keys:
                if key.kid not in held:
                    await connection.execute(insert(signing_keys).values(asdict(key)))
                elif held[key.kid] != key:
                    changed = update(signing_keys).where(signing_keys.c.kid == key.kid)
                    await connection.execute(changed.values(asdict(key)))
            return True

        return await self._transactions.commit(write, consequences)
