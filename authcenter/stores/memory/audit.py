"""The audit log in memory."""

from collections.abc import Sequence

from authcenter.core.cut import Consequences
from authcenter.core.event import Event
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.ports.audit import AuditLog, AuditRow


class MemoryAuditLog(AuditLog):
    """Rows of the shared record, which appends those that come with a write."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def append(self, event: Event) -> None:
        self._record.commit(lambda tables, at: True, Consequences(events=(event,)))

    async def rows(self) -> Sequence[AuditRow]:
        return sorted(self._record.tables.audit, key=lambda row: (row.writer, row.sequence))
