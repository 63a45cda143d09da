"""Locks in SQL while Redis is gone: leases by the database's clock."""

from datetime import timedelta

from sqlalchemy import delete

from authcenter.stores.ports.shared import Locks
from authcenter.stores.sql.database import Database, now_on
from authcenter.stores.sql.tables import leases
from authcenter.stores.sql.upsert import upsert


class SqlLocks(Locks):
    """A row a lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(self, name: str, holder: str, lasts: timedelta) -> bool:
        async with self._database.writing() as connection:
            now = await now_on(connection)
            new = {"name": name, "holder": holder, "expires_at": now + lasts}
            free = (leases.c.expires_at <= now) | (leases.c.holder == holder)
            taken = {"holder": holder, "expires_at": now + lasts}
            return await upsert(connection, leases, new, ("name",), taken, free)

    async def release(self, name: str, holder: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))
