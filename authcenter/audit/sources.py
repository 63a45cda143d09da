"""What the log is read from as it is verified: the table, and what else is a part of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from authcenter.core.event import EventKind
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter, AuditTrail, Checkpoint, Heads

_ROWS_AT_ONCE = 500


class Source(Protocol):
    """A part of the log, in the order of time: an archive, or the table."""

    async def archived(self) -> Heads:
        """What archives have taken out of it so far."""
        ...

    async def checkpoints(self) -> Sequence[Checkpoint]: ...

    async def checkpointed(self) -> Mapping[str, int]:
        """How far each writer is said to be under checkpoints; empty: it does not say. To be asked before they are."""
        ...

    async def erasures(self) -> Sequence[AuditRow]:
        """Rows that say what was erased."""
        ...

    def rows(self, begun: Heads) -> AsyncIterator[AuditRow]:
        """By writer and sequence, behind ``begun``."""
        ...

    async def ends(self) -> Heads:
        """How far each writer says it has come; empty: it does not say."""
        ...


@dataclass(frozen=True, slots=True)
class Table(Source):
    """The log at rest."""

    trail: AuditTrail

    async def archived(self) -> Heads:
        first = await self.trail.checkpoints(0, 1)
        return first[0].archived if first else {}

    async def checkpoints(self) -> Sequence[Checkpoint]:
        found: list[Checkpoint] = []
        while more := await self.trail.checkpoints(found[-1].number if found else 0, _ROWS_AT_ONCE):
            found.extend(more)
        return found

    async def checkpointed(self) -> Mapping[str, int]:
        return await self.trail.checkpointed()

    async def erasures(self) -> Sequence[AuditRow]:
        wanted, rows = AuditFilter(event=EventKind.AUDIT_ERASED), list[AuditRow]()
        page = await self.trail.find(wanted, _ROWS_AT_ONCE)
        rows.extend(page.rows)
        while page.older is not None:
            page = await self.trail.find(wanted, _ROWS_AT_ONCE, page.older)
            rows.extend(page.rows)
        return rows

    async def rows(self, begun: Heads) -> AsyncIterator[AuditRow]:
        for writer in sorted(set(await self.trail.writers())):
            after = begun[writer].sequence if writer in begun else 0
            while some := await self.trail.chain(writer, after, _ROWS_AT_ONCE):
                for row in some:
                    yield row
                after = some[-1].sequence

    async def ends(self) -> Heads:
        return await self.trail.heads()
