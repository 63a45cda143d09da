"""Locks as rows that lapse by the database's clock."""

from datetime import timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from authcenter.stores.ports.locks import Locks
from authcenter.stores.sql.database import Database, now_on
from authcenter.stores.sql.tables import leases


class SqlLocks(Locks):
    """Locks in the table ``leases``. Raises ``StoreUnavailable`` where the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(self, name: str, holder: str, lasts: timedelta) -> bool:
        row = leases.c
        # Without a write where another holds it, which is what most who ask find.
        async with self._database.reading() as connection:
            now = await now_on(connection)
            taken = select(row.name).where(row.name == name, row.holder != holder, row.lapses_at > now)
            if (await connection.execute(taken)).first():
                return False
        insert = sqlite.insert if self._database.dialect == "sqlite" else postgresql.insert
        async with self._database.writing() as connection:
            now = await now_on(connection)
            lease = insert(leases).values(name=name, holder=holder, lapses_at=now + lasts)
            taken_over = lease.on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": holder, "lapses_at": now + lasts},
                where=or_(row.holder == holder, row.lapses_at <= now),
            )
            return (await connection.execute(taken_over)).rowcount == 1

    async def release(self, name: str, holder: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))
