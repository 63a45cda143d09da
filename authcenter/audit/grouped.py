"""Audit rows that no answer waits for, written together: what is issued, and what is refused.

At most ``FLUSH_SECONDS`` lie between event and writing. Where the database takes long, or is gone, the rows go to the
spool, in the same chain, and are drained from there in order once it is back. Where the spool is full, too,
``require_room`` refuses, so that nothing is issued that nobody could prove.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from authcenter.audit.chain import GENESIS, link
from authcenter.audit.issued_together import OwnToken, Shared, Unwritten
from authcenter.core.clock import Clock
from authcenter.core.errors import AuditFull, Unavailable
from authcenter.core.event import Event
from authcenter.core.ids import uuid7
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditTrail
from authcenter.stores.spool import Spool, SpoolFull, left_behind
from authcenter.telemetry.logs import Logger

FLUSH_SECONDS = 0.05
"""How long rows wait for others."""

_DATABASE_SECONDS = 0.25
"""How long the database may take before rows go to the spool: they are lost with the process until they are in one."""

_MOST_WAITING = 20_000
_ROWS_AT_ONCE = 500
_SECONDS_BETWEEN_DRAINS = 1.0
_SECONDS_BETWEEN_LOOKS_FOR_LEFTOVERS = 60.0

P = ParamSpec("P")
T = TypeVar("T")

Recorded = Callable[[], Event]
"""Makes the event: when its row is written, not while somebody waits for an answer."""


@dataclass(slots=True)
class GroupedAudit:
    """One process's part, a chain of its own.

    Attributes:
        directory: Of the spool; processes of one machine may share it.
        count: Told of each row's event as the row is made, and how often it happened.
        on_depth: Told how many rows are not in the database yet.
        sleep: Takes seconds.
    """

    trail: AuditTrail
    directory: Path
    clock: Clock
    count: Callable[[Event, int], None]
    on_depth: Callable[[int], None]
    log: Logger
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    writer: str = field(default_factory=uuid7)
    spool: Spool = field(init=False)
    _head: tuple[int, str] = field(default=(0, GENESIS), init=False)
    _waiting: Unwritten = field(default_factory=Unwritten, init=False)
    _unsafe: list[AuditRow] = field(default_factory=list, init=False)
    _spooled: int = field(default=0, init=False)
    _dropped: int = field(default=0, init=False)
    _full: bool = field(default=False, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _files: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _unreadable: dict[Path, tuple[int, int]] = field(default_factory=dict, init=False)
    _late: "set[asyncio.Task[bool]]" = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.spool = Spool(self.directory, self.writer)

    @property
    def depth(self) -> int:
        """How many rows are not in the database yet."""
        return self._waiting.number + len(self._unsafe) + self._spooled

    def require_room(self) -> None:
        """Raises ``AuditFull``: what happens now could not be recorded."""
        if self._full or self._waiting.number >= _MOST_WAITING:
            raise AuditFull("neither the database nor the spool takes audit rows")

    def record(self, event: Recorded, at: datetime) -> None:
        """Have a row written. Never waits, never fails; whoever must not go on unrecorded asks for room first, others'
        rows are dropped where there is none, which the log says."""
        if self._takes_one():
            self._waiting.event(event, at)

    def record_token(self, shared: Shared, token: OwnToken, at: datetime) -> None:
        """The same for a token that a client got for itself, in a row that it may share."""
        if self._takes_one():
            self._waiting.token(shared, token, at)

    async def run(self) -> None:
        """Write for ever; cancel the task to end it, then ``flush`` what it had not come to."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._drain_for_ever())
            while True:
                await self._wake.wait()
                await self.sleep(FLUSH_SECONDS)
                await self.flush()

    async def flush(self) -> None:
        """Bring all that was recorded to the database or to the spool."""
        async with self._turn:
            self._wake.clear()
            waiting, self._waiting = self._waiting, Unwritten()
            rows = self._unsafe + self._linked(waiting)
            self._unsafe = rows
            if not rows:
                return
            if self._spooled or not await self._append_in_time(rows):
                await self._spool(rows)
            if not self._full:
                self._unsafe = []
            if self._dropped:
                self.log.error("audit_rows_dropped", rows=self._dropped)
                self._dropped = 0
            self.on_depth(self._spooled + len(self._unsafe))

    async def close(self) -> None:
        """Write what is left. What the database does not take now, the next process finds in the spool."""
        await self.flush()
        if self._spooled or self._unsafe:
            with suppress(Unavailable):
                await self.drain()
        if self._unsafe:
            self.log.error("audit_rows_lost", rows=len(self._unsafe))
        for late in self._late:
            late.cancel()
        await self._on_file(self.spool.close)

    async def drain(self) -> None:
        """Bring spooled rows to the database, in their order. Raises ``Unavailable``: the rest is tried again."""
        try:
            await self._drain(self.spool)
        finally:
            # The disk may have room again before the database is back.
            if self._unsafe:
                await self.flush()

    async def drain_left_behind(self) -> None:
        """The same for what processes that died have left here. Raises ``Unavailable``.

        What this process may not open, or what is not of this version, stays for one that can make something of it.
        """
        unavailable: Unavailable | None = None
        for path in await asyncio.to_thread(left_behind, self.directory):
            if path.stem == self.writer or self._unreadable.get(path) == _state(path):
                continue
            try:
                await self._drain_file(path)
            except (OSError, TypeError, ValueError) as problem:
                self.log.error("audit_spool_unreadable", file=path.name, hint=str(problem)[:200])  # noqa: TRY400
                self._unreadable[path] = _state(path)
            except Unavailable as failure:
                # It may be these rows alone that the database does not take.
                unavailable = failure
        if unavailable is not None:
            raise unavailable

    async def _drain_file(self, path: Path) -> None:
        left = await asyncio.to_thread(Spool.adopt, path)
        if left is None:
            return
        try:
            rows = await self._drain(left)
        finally:
            await asyncio.to_thread(left.close)
        self.log.info("audit_spool_adopted", writer=path.stem, rows=rows)

    def _takes_one(self) -> bool:
        if self._waiting.number + len(self._unsafe) < 2 * _MOST_WAITING:
            self._wake.set()
            return True
        self._dropped += 1
        return False

    def _linked(self, waiting: Unwritten) -> list[AuditRow]:
        (sequence, prev_hash), rows = self._head, list[AuditRow]()
        for told in waiting.rows:
            try:
                at, event, times = told()
            except Exception:
                # A defect of one event takes no other's row with it.
                self.log.exception("defect", hint="an audit row could not be made")
                self._dropped += 1
                continue
            self.count(event, times)
            row = link(event, at, self.writer, sequence + 1, prev_hash)
            rows.append(row)
            sequence, prev_hash = row.sequence, row.row_hash
        self._head = sequence, prev_hash
        return rows

    async def _append_in_time(self, rows: Sequence[AuditRow]) -> bool:
        """Whether the database took them. Not broken off: what it takes late, it does not take twice."""
        task = asyncio.create_task(self._append(rows))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        done, _ = await asyncio.wait({task}, timeout=_DATABASE_SECONDS)
        return bool(done) and task.result()

    async def _append(self, rows: Sequence[AuditRow]) -> bool:
        try:
            await self.trail.append(rows)
        except Unavailable:
            return False
        self._full = False
        return True

    async def _spool(self, rows: Sequence[AuditRow]) -> None:
        try:
            await self._on_file(self.spool.append, rows)
        except SpoolFull as full:
            if not self._full:
                self.log.error("audit_spool_full", hint=str(full))  # noqa: TRY400 - not a defect
            self._full = True
            return
        if not self._spooled:
            self.log.warning("audit_spooled", writer=self.writer)
        self._spooled += len(rows)
        self._full = False

    async def _drain_for_ever(self) -> None:
        looked = timedelta(0)
        while True:
            if self._spooled or self._unsafe:
                with suppress(Unavailable):
                    await self.drain()
            if looked <= timedelta(0):
                with suppress(Unavailable):
                    await self.drain_left_behind()
                looked = timedelta(seconds=_SECONDS_BETWEEN_LOOKS_FOR_LEFTOVERS)
            await self.sleep(_SECONDS_BETWEEN_DRAINS)
            looked -= timedelta(seconds=_SECONDS_BETWEEN_DRAINS)

    async def _on_file(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something with a spool, one at a time: its thread goes on where whoever waits for it is cancelled."""
        async with self._files:
            working = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
            try:
                return await asyncio.shield(working)
            except asyncio.CancelledError:
                while not working.done():
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait({working})
                raise

    async def _drain(self, spool: Spool) -> int:
        drained = 0
        while True:
            rows = await self._on_file(spool.next_rows, _ROWS_AT_ONCE)
            if not rows:
                break
            await self.trail.append(rows)
            await self._on_file(spool.drained)
            drained += len(rows)
            if spool is self.spool:
                self._spooled -= len(rows)
                self.on_depth(self._spooled + len(self._unsafe))
        if drained and spool is self.spool:
            self.log.info("audit_spool_drained", writer=self.writer, rows=drained)
        return drained


def _state(path: Path) -> tuple[int, int]:
    """What differs once somebody has mended the file, or made it readable."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_ctime_ns, found.st_size)
