"""Appending to ``auth_audit``, and what goes with it in the same transaction: how far the chain has come."""

from collections.abc import Sequence
from operator import attrgetter

from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.sql.audit_tables import audit_heads
from authcenter.stores.sql.tables import auth_audit
from authcenter.stores.sql.upsert import upsert

_NAMES = tuple(column.name for column in auth_audit.columns)
_values = attrgetter(*_NAMES)


async def append_rows(connection: AsyncConnection, rows: Sequence[AuditRow]) -> None:
    """Rows of one writer, in their order. Raises ``IntegrityError`` where one of their places is taken."""
    await _insert(connection, rows, "")


async def append_again(connection: AsyncConnection, rows: Sequence[AuditRow]) -> None:
    """The same where some may be there already: those stay as they are."""
    await _insert(connection, rows, " ON CONFLICT (writer, sequence) DO NOTHING")


async def _insert(connection: AsyncConnection, rows: Sequence[AuditRow], conflict: str) -> None:
    # Straight to the driver: a row for every token, of texts and integers that no type of ours has to translate.
    numbered = connection.dialect.name == "postgresql"
    places = [f"${number}" if numbered else "?" for number in range(1, len(_NAMES) + 1)]
    names = ", ".join(f'"{name}"' for name in _NAMES)
    statement = f"INSERT INTO auth_audit ({names}) VALUES ({', '.join(places)}){conflict}"  # noqa: S608 - our own names
    await connection.exec_driver_sql(statement, [_values(row) for row in rows])
    newest = rows[-1]
    head = {"sequence": newest.sequence, "row_hash": newest.row_hash}
    new = {"writer": newest.writer, "checkpointed": 0} | head
    await upsert(connection, audit_heads, new, ["writer"], head, where=audit_heads.c.sequence < newest.sequence)
