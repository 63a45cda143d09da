"""Does what transactions have left in the outbox. Every process takes its part; a claim gives each job to one."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from authcenter.core.errors import Unavailable
from authcenter.core.job import ClaimedJob
from authcenter.stores.ports.outbox import Outbox
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.workers.errands import Assignment, ErrandFailed, Pointless

MOST_AT_ONCE = 16
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
    """

    outbox: Outbox
    assignments: Mapping[str, Assignment]
    metrics: Metrics
    log: Logger
    holder: str
    ready: Callable[[], bool]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
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
        try:
            claimed = await self._claim()
        except Unavailable as failure:
            if not self._postponed:
                self.log.warning("jobs_postponed", hint=str(failure))
            self._postponed = True
            return 0
        self._postponed = False
        for job in claimed:
            task = asyncio.create_task(self._do(job))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(claimed)

    async def settle(self) -> None:
        """Wait for what is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _claim(self) -> list[ClaimedJob]:
        depth = await self.outbox.depth()
        self.metrics.job_depth.set(depth)
        room = MOST_AT_ONCE - len(self._under_way)
        # A read that finds nothing costs less than a write that does: SQLite has one writer.
        if not depth or not room:
            return []
        longest = max(one.persistence.time_limit for one in self.assignments.values())
        return [*await self.outbox.claim(self.holder, tuple(self.assignments), longest + _LEASE_BEYOND_LIMIT, room)]

    async def _do(self, claimed: ClaimedJob) -> None:
        assignment = self.assignments[claimed.job.name]
        try:
            async with asyncio.timeout(assignment.persistence.time_limit.total_seconds()):
                await assignment.errand.act(claimed.job.payload)
        except Pointless as why:
            await self._note("dropped", claimed, self.outbox.done(claimed), str(why))
        except (ErrandFailed, Unavailable) as failure:
            await self._failed(claimed, assignment, str(failure))
        except TimeoutError:
            await self._failed(claimed, assignment, "it took too long")
        except Exception as defect:
            self.log.exception("job_defect", job=claimed.job.name, job_id=claimed.job.job_id)
            await self._failed(claimed, assignment, type(defect).__name__)
        else:
            await self._note("done", claimed, self.outbox.done(claimed))

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
