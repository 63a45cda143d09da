"""Locks in memory."""

from datetime import datetime, timedelta

from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.locks import Locks


class MemoryLocks(Locks):
    """Locks of the shared record; they lapse by its clock."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def acquire(self, name: str, holder: str, lasts: timedelta) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            held_by, lapses_at = tables.leases.get(name, (holder, at))
            if held_by != holder and lapses_at > at:
                return False
            tables.leases[name] = (holder, at + lasts)
            return True

        return self._record.commit(write)

    async def release(self, name: str, holder: str) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            held_by, _ = tables.leases.get(name, ("", at))
            if held_by == holder:
                del tables.leases[name]
            return True

        self._record.commit(write)
