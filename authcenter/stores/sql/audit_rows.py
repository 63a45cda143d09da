"""Appending to ``auth_audit``, and what goes with it in the same transaction: how far the chain has come."""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from operator import attrgetter

from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.sql.audit_tables import audit_heads
from authcenter.stores.sql.tables import auth_audit
from authcenter.stores.sql.upsert import upsert

_NAMES = tuple(column.name for column in auth_audit.columns)
_values = attrgetter(*_NAMES)
_ROWS_A_STATEMENT = 256, 64, 16, 4, 1


async def append_rows(connection: AsyncConnection, rows: Sequence[AuditRow]) -> None:
    """Rows of one writer, in their order. Raises ``IntegrityError`` where one of their places is taken."""
    await _insert(connection, rows, "")


async def append_again(connection: AsyncConnection, rows: Sequence[AuditRow]) -> None:
    """The same where some may be there already: those stay as they are."""
    await _insert(connection, rows, " ON CONFLICT (writer, sequence) DO NOTHING")


async def _insert(connection: AsyncConnection, rows: Sequence[AuditRow], conflict: str) -> None:
    # Straight to the driver: a row for every token, of texts and integers that no type of ours has to translate.
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(_statement(1, conflict, numbered=True), [_values(row) for row in rows])
    else:
        await _insert_into_sqlite(connection, rows, conflict)
    newest = rows[-1]
    head = {"sequence": newest.sequence, "row_hash": newest.row_hash}
    new = {"writer": newest.writer, "checkpointed": 0} | head
    await upsert(connection, audit_heads, new, ["writer"], head, where=audit_heads.c.sequence < newest.sequence)


async def _insert_into_sqlite(connection: AsyncConnection, rows: Sequence[AuditRow], conflict: str) -> None:
    """Many rows a statement: between two of them the driver's thread takes the interpreter from the one that answers
    requests, which costs a request more than all the rest."""
    done = 0
    for count in _ROWS_A_STATEMENT:
        while len(rows) - done >= count:
            some = rows[done : done + count]
            await connection.exec_driver_sql(_statement(count, conflict), tuple(chain(*map(_values, some))))
            done += count


@cache
def _statement(rows: int, conflict: str, *, numbered: bool = False) -> str:
    places = ", ".join(f"${number}" if numbered else "?" for number in range(1, len(_NAMES) + 1))
    names = ", ".join(f'"{name}"' for name in _NAMES)
    values = ", ".join([f"({places})"] * rows)
    return f"INSERT INTO auth_audit ({names}) VALUES {values}{conflict}"  # noqa: S608 - our own names
