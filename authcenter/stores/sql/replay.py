"""What may be used once, remembered in SQL while Redis is gone."""

import hashlib
from datetime import timedelta

from authcenter.stores.ports.shared import ReplayCache
from authcenter.stores.sql.database import Database, now_on
from authcenter.stores.sql.tables import used_values
from authcenter.stores.sql.upsert import upsert


class SqlReplayCache(ReplayCache):
    """A row a value, by its digest; one that has lapsed may be used anew before it is swept away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def first_use(self, kind: str, value: str, lives: timedelta) -> bool:
        digest = hashlib.sha256(f"{kind} {value}".encode()).digest()
        async with self._database.writing() as connection:
            now = await now_on(connection)
            new = {"digest": digest, "expires_at": now + lives}
            lapsed = used_values.c.expires_at <= now
            return await upsert(connection, used_values, new, ("digest",), {"expires_at": now + lives}, lapsed)
