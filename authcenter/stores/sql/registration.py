"""Initial access tokens in SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.digest import Digest
from authcenter.core.registration import InitialAccessToken
from authcenter.stores.ports.registration import InitialAccessTokens
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.sign_in_tables import initial_access_tokens
from authcenter.stores.sql.transactions import Transactions

_COLUMN = initial_access_tokens.c


class SqlInitialAccessTokens(InitialAccessTokens):
    """Initial access tokens in the table ``initial_access_tokens``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def add(self, token: InitialAccessToken, consequences: Consequences = NO_CONSEQUENCES) -> None:
        async def write(connection: AsyncConnection) -> bool:
            await connection.execute(delete(initial_access_tokens).where(_COLUMN.expires_at <= token.created_at))
            await connection.execute(insert(initial_access_tokens).values(asdict(token)))
            return True

        await self._transactions.commit(write, consequences)

    async def find(self, digest: Digest) -> InitialAccessToken | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(initial_access_tokens).where(_COLUMN.digest == digest))).first()
            return _token(row) if row else None

    async def list_tokens(self) -> Sequence[InitialAccessToken]:
        ordered = select(initial_access_tokens).order_by(_COLUMN.created_at, _COLUMN.token_id)
        async with self._database.reading() as connection:
            return [_token(row) for row in await connection.execute(ordered)]

    async def spend(self, digest: Digest, at: datetime) -> bool:
        live = update(initial_access_tokens).where(
            _COLUMN.digest == digest, _COLUMN.uses_left > 0, _COLUMN.expires_at > at
        )

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(live.values(uses_left=_COLUMN.uses_left - 1))).rowcount > 0

        return await self._transactions.commit(write)

    async def remove(self, token_id: str, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            gone = await connection.execute(delete(initial_access_tokens).where(_COLUMN.token_id == token_id))
            return gone.rowcount > 0

        return await self._transactions.commit(write, consequences)


def _token(row: Row[Any]) -> InitialAccessToken:
    return InitialAccessToken(
        token_id=row.token_id,
        digest=Digest(row.digest),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        uses_left=row.uses_left,
    )
