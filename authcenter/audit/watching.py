"""A look at the young end of the log, again and again: cheap enough to be had every minute.

It finds what is altered among the newest rows, what is missing, replaced or out of order among those that came since
the last look, and a last checkpoint that was tampered with. Of what is older it says nothing: that is what
``verification`` is for, which reads everything.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from authcenter.audit.chain import GENESIS, holds
from authcenter.audit.checkpoints import CheckpointKeys
from authcenter.audit.verification import Finding
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import EVERYTHING, AuditTrail, Head, Heads

_ROWS_AT_ONCE = 500
_MOST_ROWS = 2_000
"""Of one chain in one look. Where more have come, those before the youngest are passed over."""

_ROWS_AT_A_STRETCH = 50
"""Hashed before others get their turn: some milliseconds."""

_NONE = Head(0, GENESIS)


@dataclass(slots=True)
class YoungRows:
    """Remembers how far each chain had come, and all that it ever found.

    Attributes:
        found: By the place.
    """

    trail: AuditTrail
    keys: CheckpointKeys
    found: dict[str, Finding] = field(default_factory=dict)
    _reached: dict[str, Head] | None = field(default=None, init=False)

    async def look(self) -> Sequence[Finding]:
        """What was not known before.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        new = [one async for one in self._problems() if one.where not in self.found]
        self.found.update({one.where: one for one in new})
        return new

    async def _problems(self) -> AsyncIterator[Finding]:
        last = await self.trail.last_checkpoint()
        if last is not None and self.keys.verifies(last) is False:
            yield Finding(f"checkpoint {last.number}", "the signature is not valid")
        archived, heads = await self._archived(), await self.trail.heads()
        if self._reached is None:
            # Nothing to compare with yet, but for what the last checkpoint has.
            self._reached = {**heads, **(last.heads if last else {})}
        for writer in sorted(heads.keys() | self._reached.keys()):
            head, known = heads.get(writer, _NONE), self._reached.get(writer, _NONE)
            known = max(known, archived.get(writer, _NONE), key=lambda one: one.sequence)
            if head == known:
                continue
            problem = await self._follow(writer, known, head, in_table=known != archived.get(writer, _NONE))
            # What an archive has taken meanwhile is not missing.
            if problem is not None and (await self._archived()).get(writer) == archived.get(writer):
                yield problem
        for number, row in enumerate((await self.trail.find(EVERYTHING, _ROWS_AT_ONCE)).rows, 1):
            if not holds(row):
                yield _altered(row)
            if number % _ROWS_AT_A_STRETCH == 0:
                await asyncio.sleep(0)

    async def _archived(self) -> Heads:
        first = await self.trail.checkpoints(0, 1)
        return first[0].archived if first else {}

    async def _follow(self, writer: str, known: Head, head: Head, *, in_table: bool) -> Finding | None:
        """Go from ``known`` to ``head``, and remember how far that went."""
        if head.sequence <= known.sequence:
            return Finding(f"row {writer}:{head.sequence + 1}", "missing: its chain was longer, or another one")
        at: Head | None = known
        after = known.sequence - 1 if in_table else known.sequence
        if head.sequence - known.sequence > _MOST_ROWS:
            at, after, in_table = None, head.sequence - _MOST_ROWS, False
        while at is None or at.sequence < head.sequence:
            rows = await self.trail.chain(writer, after, _ROWS_AT_ONCE)
            if not rows:
                return Finding(f"row {writer}:{after + 1}", "missing: its writer has come further")
            for number, row in enumerate(rows, 1):
                problem = _problem(row, at, same=in_table)
                if number % _ROWS_AT_A_STRETCH == 0:
                    await asyncio.sleep(0)
                if problem is not None:
                    return problem
                at, in_table = Head(row.sequence, row.row_hash), False
            after = rows[-1].sequence
            self._remember(writer, at or known)
        return None

    def _remember(self, writer: str, at: Head) -> None:
        if self._reached is not None:
            self._reached[writer] = at


def _problem(row: AuditRow, at: Head | None, *, same: bool) -> Finding | None:
    """``at``: the row before, or ``same``: what this very row was; None: nothing is known of either."""
    if not holds(row):
        return _altered(row)
    if at is None:
        return None
    where = f"row {row.writer}:{at.sequence if same else at.sequence + 1}"
    if row.sequence != at.sequence + (0 if same else 1):
        return Finding(where, f"missing: the next one that there is has the number {row.sequence}")
    if (row.row_hash if same else row.prev_hash) != at.row_hash:
        return Finding(where, "replaced, or the one before it was: it does not follow")
    return None


def _altered(row: AuditRow) -> Finding:
    return Finding(f"row {row.writer}:{row.sequence}", f"altered: it reads {row.event} of {row.occurred_at}")
