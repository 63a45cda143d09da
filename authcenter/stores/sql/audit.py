"""The audit log in SQL."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.event import Event
from authcenter.stores.ports.audit import AuditLog, AuditRow
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import auth_audit
from authcenter.stores.sql.transactions import Transactions


class SqlAuditLog(AuditLog):
    """Rows in ``auth_audit``; ``Transactions`` appends those that come with a write."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def append(self, event: Event) -> None:
        async def write(_: AsyncConnection) -> bool:
            return True

        await self._transactions.commit(write, Consequences(events=(event,)))

    async def rows(self) -> Sequence[AuditRow]:
        ordered = select(auth_audit).order_by(auth_audit.c.writer, auth_audit.c.sequence)
        async with self._database.reading() as connection:
            return [AuditRow(**row) for row in (await connection.execute(ordered)).mappings()]
