"""Status lists in memory."""

import os
from collections.abc import Sequence
from datetime import datetime

from authcenter.core import base64url
from authcenter.core.cut import carried_by
from authcenter.core.errors import Conflict
from authcenter.core.status import IndexBlock, StatusEntry, StatusList
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import ListRow, Tables
from authcenter.stores.ports.status_lists import StatusListStore


class MemoryStatusListStore(StatusListStore):
    """Lists of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def take(self, begins_at: datetime, lapses_at: datetime, count: int, size: int) -> IndexBlock:
        block = IndexBlock("", b"", 0, 0)

        def write(tables: Tables, at: datetime) -> bool:
            nonlocal block
            window = (row for row in tables.status_lists.values() if row.listed.lapses_at == lapses_at)
            row = next((row for row in window if row.taken + count <= size), None)
            if row is None:
                listed = StatusList(base64url.encode(os.urandom(12)), begins_at, lapses_at)
                row = ListRow(listed, os.urandom(16), 0)
            block = IndexBlock(row.listed.list_id, row.key, row.taken, count)
            tables.status_lists[row.listed.list_id] = ListRow(row.listed, row.key, row.taken + count)
            return True

        self._record.commit(write)
        return block

    async def record(self, entries: Sequence[StatusEntry]) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            for entry in entries:
                if (entry.list_id, entry.index) in tables.status_entries:
                    raise Conflict(f"place {entry.index} of the status list {entry.list_id}")
                tables.status_entries[entry.list_id, entry.index] = entry
            return True

        self._record.commit(write)

    async def lists(self) -> Sequence[StatusList]:
        return [row.listed for row in self._record.tables.status_lists.values()]

    async def refused(self, listed: StatusList) -> Sequence[int]:
        tables = self._record.tables
        revoked = {token.jti for token, _ in tables.revoked.values()}
        entries = (entry for entry in tables.status_entries.values() if entry.list_id == listed.list_id)
        return [entry.index for entry in entries if entry.jti in revoked or _is_cut(tables, entry)]


def _is_cut(tables: Tables, entry: StatusEntry) -> bool:
    cuts = (tables.cuts[carried][0] for carried in carried_by(entry) if carried in tables.cuts)
    return any(cut.up_to is None or entry.issued_at <= cut.up_to for cut in cuts)
