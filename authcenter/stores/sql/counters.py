"""Slots per key and time in SQL while Redis is gone, by the database's clock."""

import hashlib
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import RateCounters, Taken
from authcenter.stores.slots import give_back_slots, take_slots
from authcenter.stores.sql.database import Database, now_on
from authcenter.stores.sql.tables import rate_counters
from authcenter.stores.sql.upsert import upsert

_ROW = rate_counters.c


class SqlRateCounters(RateCounters):
    """A row a counter, by the digest of its key: when all its slots are free again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, key: str, rate: Rate, slots: int = 1) -> Taken:
        digest = _digest(key)
        async with self._database.writing() as connection:
            # Written first, with what it holds: of those who take at the same time, one at a time goes on from here.
            now = await now_on(connection)
            new = {"digest": digest, "free_at": now}
            await upsert(connection, rate_counters, new, ("digest",), {"free_at": _ROW.free_at})
            held = (await connection.execute(select(_ROW.free_at).where(_ROW.digest == digest))).scalar_one()
            taken, free_at = take_slots(held.timestamp(), now.timestamp(), rate, slots)
            if taken.allowed:
                await _write(connection, digest, free_at)
            return taken

    async def give_back(self, key: str, rate: Rate, slots: int = 1) -> None:
        digest = _digest(key)
        own = select(_ROW.free_at).where(_ROW.digest == digest).with_for_update()
        async with self._database.writing() as connection:
            held = (await connection.execute(own)).scalar_one_or_none()
            if held is not None:
                await _write(connection, digest, give_back_slots(held.timestamp(), rate, slots))


async def _write(connection: AsyncConnection, digest: bytes, free_at: float) -> None:
    instant = datetime.fromtimestamp(0, UTC) + timedelta(seconds=free_at)
    await connection.execute(update(rate_counters).where(_ROW.digest == digest).values(free_at=instant))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
