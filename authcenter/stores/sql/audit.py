"""The audit log in SQL."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.event import Event
from authcenter.stores.ports.audit import AuditLog, AuditRow, EmptiedRow
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import auth_audit
from authcenter.stores.sql.transactions import Transactions

_EMPTIED = ("actor", "subject", "ip", "user_agent", "context", "salt", "erased")


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

    async def rows_about(self, subject: str, most: int) -> Sequence[AuditRow]:
        row = auth_audit.c
        newest = select(auth_audit).where(about_person(subject))
        newest = newest.order_by(row.occurred_at.desc(), row.writer, row.sequence.desc()).limit(most)
        async with self._database.reading() as connection:
            return [AuditRow(**found) for found in (await connection.execute(newest)).mappings()]

    async def empty(self, rows: Sequence[EmptiedRow], consequences: Consequences) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            return await empty_rows(connection, rows)

        return await self._transactions.commit(write, consequences)


def about_person(subject: str) -> ColumnElement[bool]:
    """Rows whose actor or subject is a person, in the words of the indexes, which hold no others."""
    row = auth_audit.c
    return or_(
        and_(row.actor == subject, row.actor != row.client_id),
        and_(row.subject == subject, row.subject != row.client_id),
    )


async def empty_rows(connection: AsyncConnection, rows: Sequence[EmptiedRow]) -> bool:
    """Put emptied rows in the place of whole ones; False where one of them has been emptied meanwhile."""
    row = auth_audit.c
    unchanged = (
        row.writer == bindparam("of_writer"),
        row.sequence == bindparam("of_sequence"),
        row.erased == bindparam("of_erased"),
    )
    emptied = update(auth_audit).where(*unchanged).values({name: bindparam(f"new_{name}") for name in _EMPTIED})
    for one in rows:
        which = {"of_writer": one.row.writer, "of_sequence": one.row.sequence, "of_erased": one.erased_before}
        new = {f"new_{name}": getattr(one.row, name) for name in _EMPTIED}
        if (await connection.execute(emptied, which | new)).rowcount != 1:
            return False
    return True
