"""Appending to ``auth_audit``, and what goes with it in the same transaction: how far the chain has come."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.sql.audit_tables import audit_heads
from authcenter.stores.sql.tables import auth_audit
from authcenter.stores.sql.upsert import upsert

_NAMES = tuple(column.name for column in auth_audit.columns)
_fields = attrgetter(*_NAMES)


async def append_rows(connection: AsyncConnection, rows: Sequence[AuditRow]) -> None:
    """Rows of one writer, in their order. Raises ``IntegrityError`` where one of their places is taken."""
    await connection.execute(insert(auth_audit), [_values(row) for row in rows])
    await _move_head(connection, rows[-1])


async def append_again(connection: AsyncConnection, rows: Sequence[AuditRow]) -> None:
    """The same where some may be there already: those stay as they are."""
    kind = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    unless_there = kind(auth_audit).on_conflict_do_nothing(index_elements=["writer", "sequence"])
    await connection.execute(unless_there, [_values(row) for row in rows])
    await _move_head(connection, rows[-1])


def _values(row: AuditRow) -> dict[str, Any]:
    # Not ``asdict``, which copies each field: this is done for every token.
    return dict(zip(_NAMES, _fields(row), strict=True))


async def _move_head(connection: AsyncConnection, newest: AuditRow) -> None:
    head = {"sequence": newest.sequence, "row_hash": newest.row_hash}
    new = {"writer": newest.writer, "checkpointed": 0} | head
    await upsert(connection, audit_heads, new, ["writer"], head, where=audit_heads.c.sequence < newest.sequence)
