"""Does what transactions have left in the outbox. Every process takes its part; a claim gives each job to one."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from authcenter.core.errors import Unavailable
from authcenter.core.job import ClaimedJob, Room
from authcenter.stores.ports.outbox import Outbox
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.workers.errands import Assignment, ErrandFailed, Pointless
from authcenter.workers.lanes import SLOW_SECONDS, Lanes

_SECONDS_BETWEEN_LOOKS = 1.0
_LEASE_BEYOND_LIMIT = timedelta(seconds=20)
"""How much longer a lease lasts than the longest try: for writing down what became of it."""


@dataclass(slots=True)
class OutboxWorker:
    """One process's part in it. One job that takes its time holds up no other.

    Attributes:
        assignments: By name of the job; others are left to processes that know them.
        holder: This process, among those that claim.
        ready: Whether this process may act.
        sleep: Takes seconds.
        elapsed: Seconds since some instant.
    """

    outbox: Outbox
    assignments: Mapping[str, Assignment]
    metrics: Metrics
    log: Logger
    holder: str
    ready: Callable[[], bool]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    elapsed: Callable[[], float] = time.monotonic
    _lanes: Lanes = field(default_factory=Lanes, init=False)
    _under_way: set["asyncio.Task[None]"] = field(default_factory=set, init=False)
    _postponed: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Work for ever; cancel the task to end it. What is under way then is another's once its lease has lapsed."""
        try:
            while True:
                await self.step()
                await self.sleep(_SECONDS_BETWEEN_LOOKS * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        finally:
            for task in self._under_way:
                task.cancel()

    async def step(self) -> int:
        """Begin what is due, as far as there is room; how many that were."""
        if not self.ready():
            return 0
        begun = 0
        try:
            # A read that finds nothing costs less than a write that does: SQLite has one writer.
            if not await self._depth():
                return 0
            for room in self._lanes.rooms():
                for claimed in await self._claim(room):
                    self._begin(claimed)
                    begun += 1
        except Unavailable as failure:
            if not self._postponed:
                self.log.warning("jobs_postponed", hint=str(failure))
            self._postponed = True
        else:
            self._postponed = False
        return begun

    async def settle(self) -> None:
        """Wait for what is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _depth(self) -> int:
        depth = await self.outbox.depth()
        self.metrics.job_depth.set(depth)
        return depth

    async def _claim(self, room: Room) -> Sequence[ClaimedJob]:
        longest = max(one.persistence.time_limit for one in self.assignments.values())
        return await self.outbox.claim(self.holder, tuple(self.assignments), longest + _LEASE_BEYOND_LIMIT, room)

    def _begin(self, claimed: ClaimedJob) -> None:
        self._lanes.begin(claimed.job)
        task = asyncio.create_task(self._do(claimed))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _do(self, claimed: ClaimedJob) -> None:
        began, slow = self.elapsed(), True
        try:
            slow = not await self._try(claimed) or self.elapsed() - began >= SLOW_SECONDS
        finally:
            self._lanes.end(claimed.job, slow=slow)

    async def _try(self, claimed: ClaimedJob) -> bool:
        """Once; False: whom it is for failed, or took too long."""
        assignment = self.assignments[claimed.job.name]
        try:
            async with asyncio.timeout(assignment.persistence.time_limit.total_seconds()):
                await assignment.errand.act(claimed.job.payload)
        except Pointless as why:
            await self._note("dropped", claimed, self.outbox.done(claimed), str(why))
        except Unavailable as failure:
            await self._failed(claimed, assignment, str(failure))
        except (ErrandFailed, TimeoutError) as failure:
            await self._failed(claimed, assignment, str(failure) or "it took too long")
            return False
        except Exception as defect:
            self.log.exception("job_defect", job=claimed.job.name, job_id=claimed.job.job_id)
            await self._failed(claimed, assignment, type(defect).__name__)
        else:
            await self._note("done", claimed, self.outbox.done(claimed))
        return True

    async def _failed(self, claimed: ClaimedJob, assignment: Assignment, why: str) -> None:
        persistence = assignment.persistence
        if claimed.attempts >= persistence.attempts:
            await self._note("dead", claimed, self.outbox.bury(claimed, why), why)
        else:
            delay = persistence.delay(claimed.attempts)
            await self._note("retried", claimed, self.outbox.postpone(claimed, delay, why), why)

    async def _note(self, outcome: str, claimed: ClaimedJob, write: Awaitable[bool], why: str = "") -> None:
        """Write down what became of it. Where that fails it is done again: the lease lapses."""
        try:
            if not await write:
                outcome = "lapsed"
        except Unavailable as failure:
            outcome, why = "unrecorded", str(failure)
        self.metrics.jobs.count(claimed.job.name, outcome)
        if outcome != "done":
            tell = self.log.error if outcome == "dead" else self.log.warning
            tell(
                "job_not_done",
                job=claimed.job.name,
                job_id=claimed.job.job_id,
                outcome=outcome,
                attempts=claimed.attempts,
                hint=why,
            )
