"""The outbox in memory."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from authcenter.core.cut import Consequences
from authcenter.core.event import Event
from authcenter.core.ids import uuid7
from authcenter.core.job import ClaimedJob, Job, Room
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import OutboxRow, Tables
from authcenter.stores.ports.outbox import Outbox


class MemoryOutbox(Outbox):
    """Jobs of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def add(self, jobs: Sequence[Job], events: Sequence[Event] = ()) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            tables.add_jobs(jobs, at)
            return True

        self._record.commit(write, Consequences(events=events))

    async def claim(self, holder: str, names: Collection[str], lease: timedelta, room: Room) -> Sequence[ClaimedJob]:
        claim, taken = f"{holder}/{uuid7()}", list[OutboxRow]()

        def write(tables: Tables, at: datetime) -> bool:
            due = [row for row in tables.outbox.values() if row.waiting and row.due_at <= at and row.job.name in names]
            lanes: Counter[str] = Counter()
            for row in sorted(due, key=lambda row: (row.due_at, row.job.job_id)):
                if len(taken) >= room.most or lanes[row.job.lane] >= room.of(row.job.lane):
                    continue
                lanes[row.job.lane] += 1
                taken.append(replace(row, holder=claim, due_at=at + lease, attempts=row.attempts + 1))
                tables.outbox[row.job.job_id] = taken[-1]
            return True

        self._record.commit(write)
        taken.sort(key=lambda row: (row.created_at, row.job.job_id))
        return [ClaimedJob(row.job, claim, row.attempts, row.created_at) for row in taken]

    async def keep(self, claimed: ClaimedJob, lease: timedelta) -> bool:
        return self._settle(claimed, lambda row, at: replace(row, due_at=at + lease))

    async def done(self, claimed: ClaimedJob) -> bool:
        return self._settle(claimed, lambda row, at: replace(row, done_at=at, last_error=""))

    async def postpone(self, claimed: ClaimedJob, delay: timedelta, error: str) -> bool:
        return self._settle(claimed, lambda row, at: replace(row, holder="", due_at=at + delay, last_error=error))

    async def bury(self, claimed: ClaimedJob, error: str) -> bool:
        return self._settle(claimed, lambda row, at: replace(row, dead_at=at, last_error=error))

    async def depth(self) -> int:
        return sum(row.waiting for row in self._record.tables.outbox.values())

    def _settle(self, claimed: ClaimedJob, change: Callable[[OutboxRow, datetime], OutboxRow]) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            row = tables.outbox.get(claimed.job.job_id)
            if row is None or not row.waiting or row.holder != claimed.claim:
                return False
            tables.outbox[claimed.job.job_id] = change(row, at)
            return True

        return self._record.commit(write)
