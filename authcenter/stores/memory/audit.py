"""The audit log in memory."""

from collections.abc import Sequence

from authcenter.core.cut import Consequences
from authcenter.core.event import Event
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.audit import AuditLog, AuditRow, EmptiedRow


class MemoryAuditLog(AuditLog):
    """Rows of the shared record, which appends those that come with a write."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def append(self, event: Event) -> None:
        self._record.commit(lambda tables, at: True, Consequences(events=(event,)))

    async def rows(self) -> Sequence[AuditRow]:
        return sorted(self._record.tables.audit, key=lambda row: (row.writer, row.sequence))

    async def rows_about(self, subject: str, most: int) -> Sequence[AuditRow]:
        about = [row for row in self._record.tables.audit if subject in {row.actor, row.subject}]
        return about[::-1][:most]

    async def empty(self, rows: Sequence[EmptiedRow], consequences: Consequences) -> bool:
        return self._record.commit(lambda tables, _: empty_rows(tables, rows), consequences)


def empty_rows(tables: Tables, rows: Sequence[EmptiedRow]) -> bool:
    """Put emptied rows in the place of whole ones; False where one of them has been emptied meanwhile."""
    held = {(row.writer, row.sequence): index for index, row in enumerate(tables.audit)}
    for one in rows:
        index = held[one.row.writer, one.row.sequence]
        if tables.audit[index].erased != one.erased_before:
            return False
        tables.audit[index] = one.row
    return True
