"""INSERT … ON CONFLICT, which SQLite and PostgreSQL both have and SQLAlchemy spells per dialect."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def upsert(
    connection: AsyncConnection,
    table: Table,
    new: Mapping[str, Any],
    key: Sequence[str],
    changed: Mapping[str, Any],
    where: ColumnElement[bool] | None = None,
) -> bool:
    """Insert ``new``, or set ``changed`` where the key is there; no ``changed``: leave the row as it is.

    Args:
        where: What must hold of the row that is there, for it to be changed.

    Returns:
        Whether a row was written.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(**new)
    if changed:
        statement = statement.on_conflict_do_update(index_elements=key, set_=dict(changed), where=where)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    return (await connection.execute(statement)).rowcount == 1
