"""One way to write: the row, what it cuts off and what the audit log says of it, all or nothing."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.clock import Clock
from authcenter.core.cut import LIFTED_CUT_LASTS, NO_CONSEQUENCES, Consequences, Cut
from authcenter.core.errors import StoreUnavailable
from authcenter.core.event import Event
from authcenter.core.ids import uuid7
from authcenter.core.job import Job
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.spread import Revoked
from authcenter.stores.sql.audit_rows import append_rows
from authcenter.stores.sql.changes import NOTED
from authcenter.stores.sql.cuts import lift_cuts, write_cuts
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import auth_audit
from authcenter.stores.sql.turn import Turn
from authcenter.stores.sql.waiting_jobs import add_jobs

Write: TypeAlias = Callable[[AsyncConnection], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Announcements:
    """Who tells other instances what has been written. Neither raises.

    Attributes:
        changes: Told kind and key of each client, resource or user that was written, or may have been.
        cuts: Told what was revoked and cut.
        jobs: Told what has been left in the outbox.
    """

    changes: Callable[[Sequence[tuple[str, str]]], Awaitable[None]] | None = None
    cuts: Callable[[Sequence[Revoked], Sequence[Cut]], Awaitable[None]] | None = None
    jobs: Callable[[Sequence[Job]], Awaitable[None]] | None = None


NOBODY = Announcements()
"""For one process alone."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What a transaction has done that other instances want to know."""

    changes: list[tuple[str, str]] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)


class Link(Protocol):
    """Makes the row that records an event behind its predecessor (``audit.chain.link``)."""

    def __call__(self, event: Event, at: datetime, writer: str, sequence: int, prev_hash: str) -> AuditRow: ...


class Transactions:
    """Commits writes with their consequences. This process writes one audit chain of its own."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        link: Link,
        genesis: str,
        count: Callable[[Event], None],
        announce: Announcements = NOBODY,
    ) -> None:
        self._database, self._clock, self._link, self._genesis, self._count = database, clock, link, genesis, count
        self._announce = announce
        self._writer = uuid7()
        self._head: tuple[int, str] | None = (0, genesis)
        self._chain = Turn()

    async def commit(
        self, write: Write, consequences: Consequences = NO_CONSEQUENCES, revoked: Sequence[Revoked] = ()
    ) -> bool:
        """Run ``write``; where it answers False, nothing is kept, consequences included.

        What it revokes and cuts is announced once it is kept, and also where the record does not answer: until that is
        back, others should refuse rather than accept what somebody wanted refused.

        Args:
            revoked: The tokens that ``write`` revokes.

        Raises:
            Conflict, StoreUnavailable: Nothing was kept, or (of the latter) it is unknown.
        """
        written = _Written()
        try:
            kept = await self._commit(write, consequences, written)
        except StoreUnavailable:
            written.cuts[:] = [self._until_now(cut) for cut in consequences.cuts]
            raise
        finally:
            await self._tell(written, revoked)
        if kept and consequences.jobs and self._announce.jobs is not None:
            await self._announce.jobs(consequences.jobs)
        return kept

    async def _tell(self, written: _Written, revoked: Sequence[Revoked]) -> None:
        # Also where the outcome is unknown: to forget what has not changed costs one load. And where a token was
        # revoked before: somebody may have died between the record and Redis.
        if self._announce.changes is not None and written.changes:
            await self._announce.changes(written.changes)
        if self._announce.cuts is not None and (revoked or written.cuts):
            await self._announce.cuts(revoked, written.cuts)

    def _until_now(self, cut: Cut) -> Cut:
        """A cut that the record may not have: it must not outlast what there was to refuse when it was asked for."""
        now = self._clock.now()
        next_second = datetime.fromtimestamp(int(now.timestamp()) + 1, UTC)
        up_to = next_second if cut.up_to is None else cut.up_to
        return replace(cut, up_to=up_to, until_now=False, expires_at=cut.expires_at or now + LIFTED_CUT_LASTS)

    async def _commit(self, write: Write, consequences: Consequences, written: _Written) -> bool:
        if not consequences.events:
            return await self._transact(write, consequences, (), written)
        # A chain has one order: rows are linked by the one transaction that is under way.
        async with self._chain.taken():
            head, self._head = self._head or await self._read_head(), None
            rows = self._linked(consequences.events, head)
            kept = await self._transact(write, consequences, rows, written)
            self._head = (rows[-1].sequence, rows[-1].row_hash) if kept else head
        if kept:
            for event in consequences.events:
                self._count(event)
        return kept

    async def _transact(
        self, write: Write, consequences: Consequences, rows: Sequence[AuditRow], written: _Written
    ) -> bool:
        """As one transaction. The cuts it makes or lifts are in ``written`` with the instants they have now."""
        async with self._database.writing() as connection:
            connection.info[NOTED] = written.changes
            if not await write(connection):
                await connection.rollback()
                return False
            written.cuts.extend(await lift_cuts(connection, consequences.lifts))
            written.cuts.extend(await write_cuts(connection, consequences.cuts))
            await add_jobs(connection, consequences.jobs)
            if rows:
                await self._append(connection, rows)
            return True

    async def _append(self, connection: AsyncConnection, rows: Sequence[AuditRow]) -> None:
        try:
            await append_rows(connection, rows)
        except IntegrityError as moved:
            # A commit of ours whose outcome was unknown has landed after all: no name of the caller's is taken.
            raise StoreUnavailable("database: the audit chain has moved on") from moved

    def _linked(self, events: Sequence[Event], head: tuple[int, str]) -> list[AuditRow]:
        at = self._clock.now()
        rows: list[AuditRow] = []
        for event in events:
            row = self._link(event, at, self._writer, head[0] + 1, head[1])
            rows.append(row)
            head = (row.sequence, row.row_hash)
        return rows

    async def _read_head(self) -> tuple[int, str]:
        """Our own newest row: after a commit whose outcome is unknown, the record decides."""
        row = auth_audit.c
        newest = select(row.sequence, row.row_hash).where(row.writer == self._writer).order_by(row.sequence.desc())
        async with self._database.reading() as connection:
            found = (await connection.execute(newest.limit(1))).first()
        return (found.sequence, found.row_hash) if found else (0, self._genesis)
