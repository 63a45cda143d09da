"""The audit log in memory, as whoever proves it reads it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import takewhile

from authcenter.core.event import EventKind
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter, AuditTrail, Checkpoint, Head, Heads, Page
from authcenter.stores.ports.neighbourhood import Neighbourhood, neighbourhood_of_request, neighbourhood_of_token


class MemoryAuditTrail(AuditTrail):
    """Rows of the shared record, heads read off them."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def append(self, rows: Sequence[AuditRow]) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            held = {(row.writer, row.sequence) for row in tables.audit}
            tables.audit.extend(row for row in rows if (row.writer, row.sequence) not in held)
            return True

        self._record.commit(write)

    async def chain(self, writer: str, after: int, most: int) -> Sequence[AuditRow]:
        return [row for row in self._of(writer) if row.sequence > after][:most]

    async def find(self, wanted: AuditFilter, most: int, older: tuple[str, str, int] | None = None) -> Page:
        rows = sorted((row for row in self._tables.audit if _meets(row, wanted)), key=_place, reverse=True)
        rows = [row for row in rows if older is None or _place(row) < older]
        return Page(rows[:most], _place(rows[most - 1]) if len(rows) > most else None)

    async def writers(self) -> Sequence[str]:
        return list({row.writer for row in self._tables.audit})

    async def heads(self) -> Heads:
        archived = {writer: head for one in self._tables.audit_checkpoints for writer, head in one.archived.items()}
        rows = sorted(self._tables.audit, key=_in_chain)
        return archived | {row.writer: Head(row.sequence, row.row_hash) for row in rows}

    async def checkpointed(self) -> Mapping[str, int]:
        checkpoints = self._tables.audit_checkpoints
        return {writer: head.sequence for checkpoint in checkpoints for writer, head in checkpoint.heads.items()}

    async def moved_heads(self) -> Heads:
        reached = await self.checkpointed()
        return {writer: head for writer, head in (await self.heads()).items() if head.sequence > reached.get(writer, 0)}

    async def last_checkpoint(self) -> Checkpoint | None:
        return max(self._tables.audit_checkpoints, key=lambda one: one.number, default=None)

    async def checkpoints(self, after: int, most: int) -> Sequence[Checkpoint]:
        behind = (one for one in self._tables.audit_checkpoints if one.number > after)
        return sorted(behind, key=lambda one: one.number)[:most]

    async def add_checkpoint(self, checkpoint: Checkpoint) -> bool:
        return self._add(checkpoint, lambda tables: None)

    async def ended_before(self, instant: str) -> Heads:
        ended = dict[str, Head]()
        for writer in {row.writer for row in self._tables.audit}:
            for row in takewhile(lambda row: row.occurred_at < instant, self._of(writer)):
                ended[writer] = Head(row.sequence, row.row_hash)
        return ended

    async def remove_archived(self, checkpoint: Checkpoint) -> bool:
        def drop(tables: Tables) -> None:
            taken = {writer: head.sequence for writer, head in checkpoint.archived.items()}
            tables.audit[:] = [row for row in tables.audit if row.sequence > taken.get(row.writer, 0)]
            tables.audit_checkpoints[:] = [one for one in tables.audit_checkpoints if one.number >= checkpoint.number]

        return self._add(checkpoint, drop) or checkpoint in self._tables.audit_checkpoints

    @property
    def _tables(self) -> Tables:
        return self._record.tables

    def _of(self, writer: str) -> list[AuditRow]:
        return sorted((row for row in self._tables.audit if row.writer == writer), key=_in_chain)

    def _add(self, checkpoint: Checkpoint, and_then: Callable[[Tables], None]) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            if any(one.number == checkpoint.number for one in tables.audit_checkpoints):
                return False
            tables.audit_checkpoints.append(checkpoint)
            and_then(tables)
            return True

        return self._record.commit(write)


def _in_chain(row: AuditRow) -> tuple[str, int]:
    return row.writer, row.sequence


def _place(row: AuditRow) -> tuple[str, str, int]:
    return row.occurred_at, row.writer, row.sequence


def _meets(row: AuditRow, wanted: AuditFilter) -> bool:
    event = wanted.event
    return (
        (row.event.startswith(event) if event.endswith(".") else event in ("", row.event))
        and wanted.client_id in ("", row.client_id)
        and (wanted.request_id in ("", row.request_id) or _says(row, neighbourhood_of_request(wanted.request_id)))
        and wanted.family in ("", row.family)
        and (wanted.jti in ("", row.jti) or _says(row, neighbourhood_of_token(wanted.jti)))
        and wanted.ip in ("", row.ip)
        and (not wanted.person or wanted.person in (row.actor, row.subject))
        and (not wanted.since or row.occurred_at >= wanted.since)
        and (not wanted.until or row.occurred_at < wanted.until)
    )


def _says(row: AuditRow, beside: Neighbourhood | None) -> bool:
    return (
        beside is not None
        and row.event == EventKind.TOKEN_ISSUED
        and beside.begins <= row.request_id <= beside.ends
        and beside.quoted in row.context
    )
