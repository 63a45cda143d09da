"""Appending to ``auth_audit``, and what goes with it in the same transaction: how far the chain has come."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.sql.tables import auth_audit

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
    # Straight to the driver: texts and integers that no type of ours has to translate, at every flush.
    newest = rows[-1]
    head = newest.writer, newest.sequence, newest.row_hash
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(_statement(1, conflict, numbered=True), [_values(row) for row in rows])
        await connection.exec_driver_sql(_head(numbered=True), head)
    else:
        for statement, values in [*_of_sqlite(rows, conflict), (_head(), head)]:
            await connection.exec_driver_sql(statement, values)


def _of_sqlite(rows: Sequence[AuditRow], conflict: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Many rows a statement: between two of them the driver's thread takes the interpreter from the one that answers
    requests, which costs a request more than all the rest."""
    done = 0
    for count in _ROWS_A_STATEMENT:
        while len(rows) - done >= count:
            yield _statement(count, conflict), tuple(chain(*map(_values, rows[done : done + count])))
            done += count


@cache
def _statement(rows: int, conflict: str, *, numbered: bool = False) -> str:
    names = ", ".join(f'"{name}"' for name in _NAMES)
    values = ", ".join([_places(len(_NAMES), numbered=numbered)] * rows)
    return f"INSERT INTO auth_audit ({names}) VALUES {values}{conflict}"  # noqa: S608 - our own names


@cache
def _head(*, numbered: bool = False) -> str:
    """Where the chain has come further, which a row that is brought again has not."""
    return (
        "INSERT INTO audit_heads (writer, sequence, row_hash, checkpointed) "  # noqa: S608 - our own names
        f"VALUES ({_places(3, numbered=numbered)[1:-1]}, 0) ON CONFLICT (writer) DO UPDATE "
        "SET sequence = excluded.sequence, row_hash = excluded.row_hash "
        "WHERE audit_heads.sequence < excluded.sequence"
    )


def _places(number: int, *, numbered: bool) -> str:
    return f"({', '.join(f'${place}' if numbered else '?' for place in range(1, number + 1))})"
