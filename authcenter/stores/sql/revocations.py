"""Revocations in SQL: the record that every replica is built from."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import NO_CONSEQUENCES, Consequences, Cut, CutKind, RevokedToken
from authcenter.core.digest import Digest
from authcenter.stores.ports.tokens import RevocationStore
from authcenter.stores.sql.database import Database, database_clock, now_on
from authcenter.stores.sql.tables import revocation_cuts, revoked_tokens
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.upsert import upsert

_BATCH_ROWS = 10_000


class SqlRevocationStore(RevocationStore):
    """Tokens in ``revoked_tokens``, wider cuts in ``revocation_cuts``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def now(self) -> datetime:
        return await self._database.now()

    async def revoke(self, token: RevokedToken, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        new = asdict(token) | {"family_id": token.family, "revoked_at": database_clock()}
        del new["family"]

        async def write(connection: AsyncConnection) -> bool:
            return await upsert(connection, revoked_tokens, new, ("digest",), {})

        return await self._transactions.commit(write, consequences, [(token.digest, token.expires_at)])

    async def cut(self, consequences: Consequences) -> None:
        async def write(_: AsyncConnection) -> bool:
            return True

        await self._transactions.commit(write, consequences)

    async def all_tokens(self, alive_after: datetime) -> AsyncIterator[Sequence[tuple[Digest, datetime]]]:
        row = revoked_tokens.c
        alive = select(row.digest, row.expires_at).where(row.expires_at > alive_after)
        async with self._database.streaming() as connection:
            streamed = await connection.stream(alive.execution_options(yield_per=_BATCH_ROWS))
            async for rows in streamed.partitions(_BATCH_ROWS):
                yield [(Digest(digest), expires_at) for digest, expires_at in rows]

    async def all_cuts(self, alive_after: datetime) -> Sequence[Cut]:
        row = revocation_cuts.c
        async with self._database.reading() as connection:
            return await _cuts(connection, or_(row.expires_at.is_(None), row.expires_at > alive_after))

    async def recent(self, seconds: float) -> tuple[Sequence[tuple[Digest, datetime]], Sequence[Cut]]:
        row = revoked_tokens.c
        async with self._database.reading() as connection:
            since = await now_on(connection) - timedelta(seconds=seconds)
            rows = await connection.execute(select(row.digest, row.expires_at).where(row.revoked_at >= since))
            tokens = [(Digest(digest), expires_at) for digest, expires_at in rows]
            return tokens, await _cuts(connection, revocation_cuts.c.made_at >= since)


async def _cuts(connection: AsyncConnection, condition: ColumnElement[bool]) -> list[Cut]:
    rows = await connection.execute(select(revocation_cuts).where(condition))
    return [Cut(CutKind(row.kind), row.value, row.reason, up_to=row.up_to, expires_at=row.expires_at) for row in rows]
