"""The change feed: which client, resource or user was written lately, so that caches elsewhere forget it."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.stores.ports.tokens import ChangeFeed
from authcenter.stores.sql.database import Database, database_clock, now_on
from authcenter.stores.sql.tables import changes
from authcenter.stores.sql.upsert import upsert

NOTED = "authcenter_noted"
"""Where a connection keeps the list of what its transaction has noted, for who announces it afterwards."""


async def note_change(connection: AsyncConnection, kind: str, key: str) -> None:
    """Say in this transaction that ``key`` is about to read otherwise."""
    connection.info.setdefault(NOTED, []).append((kind, key))
    new = {"kind": kind, "key": key, "number": 1, "changed_at": database_clock()}
    risen = {"number": changes.c.number + 1, "changed_at": database_clock()}
    await upsert(connection, changes, new, ("kind", "key"), risen)


class SqlChangeFeed(ChangeFeed):
    """Reads the feed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent_changes(self, seconds: float) -> Sequence[tuple[str, str, int]]:
        async with self._database.reading() as connection:
            since = await now_on(connection) - timedelta(seconds=seconds)
            row = changes.c
            found = await connection.execute(select(row.kind, row.key, row.number).where(row.changed_at >= since))
            return [(kind, key, number) for kind, key, number in found]
