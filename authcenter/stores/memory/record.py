"""One way to write: the row, what it cuts off and what the audit log says of it, all or nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from authcenter.core.clock import Clock
from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.event import Event
from authcenter.core.ids import uuid7
from authcenter.stores.memory.cuts import keep_cut, lift_cut
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.audit import AuditRow

Write: TypeAlias = Callable[[Tables, datetime], bool]


class Link(Protocol):
    """Makes the row that records an event behind its predecessor (``audit.chain.link``)."""

    def __call__(self, event: Event, at: datetime, writer: str, sequence: int, prev_hash: str) -> AuditRow: ...


class MemoryRecord:
    """The tables behind all memory stores. Its clock is 'the database's own'; it writes one audit chain.

    Attributes:
        tables: As of the newest commit; whoever reads them does so without waiting in between.
    """

    def __init__(self, clock: Clock, link: Link, genesis: str, count: Callable[[Event], None]) -> None:
        self.clock = clock
        self.tables = Tables()
        self._link, self._head, self._count = link, (0, genesis), count
        self._writer = uuid7()

    def commit(self, write: Write, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        """Run ``write``; where it answers False, nothing is kept, consequences included. Raises ``Conflict``."""
        # Written to a copy, which takes the place of the tables last: whatever raises before has kept nothing.
        draft, at = self.tables.copy(), self.clock.now()
        if not write(draft, at):
            return False
        for kind, value in consequences.lifts:
            lift_cut(draft, kind, value, at)
        for cut in consequences.cuts:
            keep_cut(draft, cut, at)
        draft.add_jobs(consequences.jobs, at)
        rows = self._linked(consequences.events, at)
        draft.audit.extend(rows)
        self.tables = draft
        if rows:
            self._head = (rows[-1].sequence, rows[-1].row_hash)
        for event in consequences.events:
            self._count(event)
        return True

    def _linked(self, events: Sequence[Event], at: datetime) -> list[AuditRow]:
        (sequence, prev_hash), rows = self._head, list[AuditRow]()
        for event in events:
            row = self._link(event, at, self._writer, sequence + 1, prev_hash)
            rows.append(row)
            sequence, prev_hash = row.sequence, row.row_hash
        return rows
