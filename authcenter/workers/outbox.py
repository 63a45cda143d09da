"""Does what transactions have left in the outbox. Every process takes its part; a claim gives each job to one."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from authcenter.core.errors import Unavailable
from authcenter.core.job import ClaimedJob, Room
from authcenter.stores.ports.job_queue import JobQueue
from authcenter.stores.ports.outbox import Outbox
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.workers.errands import Assignment, ErrandFailed, Hopeless, Pointless
from authcenter.workers.lanes import SLOW_SECONDS, Lanes
from authcenter.workers.unending import Unending

LEASE = timedelta(seconds=15)
"""How long after a process has died others wait for it; who lives renews it."""

_SECONDS_BETWEEN_RENEWALS = 4.0
_SECONDS_BETWEEN_LOOKS = 1.0
_LEAST_PAUSE_SECONDS = 0.02
_PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0, 4.0)
_LONGEST_WAIT = timedelta(seconds=5)


@dataclass(slots=True)
class OutboxWorker:
    """One process's part in it. One job that takes its time holds up no other.

    Attributes:
        assignments: By name of the job; others are left to processes that know them.
        holder: This process, among those that claim.
        ready: Whether this process may act.
        queue: Where it hears of jobs that have just been left; None: nowhere. The outbox is looked into all the same:
            it is the truth, and what was postponed is announced nowhere.
        elapsed: Seconds since some instant.
        pauses: Seconds between tries to write down what became of a job.
    """

    outbox: Outbox
    assignments: Mapping[str, Assignment]
    metrics: Metrics
    log: Logger
    holder: str
    ready: Callable[[], bool]
    queue: JobQueue | None = None
    elapsed: Callable[[], float] = time.monotonic
    pauses: Sequence[float] = _PAUSES
    _lanes: Lanes = field(default_factory=Lanes, init=False)
    _under_way: dict["asyncio.Task[None]", ClaimedJob] = field(default_factory=dict, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _more: bool = field(default=False, init=False)
    _counted_at: float = field(default=float("-inf"), init=False)
    _postponed: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Work for ever; cancel the task to end it. What is under way then is another's once its lease has lapsed."""
        keep = Unending(self.metrics, self.log).keep
        try:
            async with asyncio.TaskGroup() as group:
                # Each by itself: a defect of one must not cost what is under way its leases.
                group.create_task(keep("outbox", self._look))
                group.create_task(keep("outbox_leases", self._keep))
                if self.queue is not None:
                    group.create_task(keep("outbox_queue", partial(self._listen, self.queue)))
        finally:
            for task in self._under_way:
                task.cancel()

    async def step(self, *, expecting: bool = False) -> int:
        """Begin what is due, as far as there is room; how many that were.

        Args:
            expecting: Whether something is likely to be due: then it is not counted first.
        """
        if not self.ready():
            return 0
        begun = 0
        try:
            # A read that finds nothing costs less than a write that does: SQLite has one writer.
            if await self._worth_it(expecting=expecting):
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
        # As long as something is under way more may be waiting for the room that it takes.
        self._more = bool(self._under_way)
        return begun

    async def settle(self) -> None:
        """Wait for what is under way."""
        while self._under_way:
            await asyncio.wait([*self._under_way])

    async def _look(self) -> None:
        expecting = False
        while True:
            await self.step(expecting=expecting)
            # Jobs that were left together are claimed together.
            await asyncio.sleep(_LEAST_PAUSE_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_BETWEEN_LOOKS * random.uniform(0.5, 1.0)):  # noqa: S311 - jitter
                    await self._wake.wait()
            expecting = self._wake.is_set()
            self._wake.clear()

    async def _listen(self, queue: JobQueue) -> None:
        while True:
            if await queue.pop(tuple(self.assignments), _LONGEST_WAIT) is not None:
                self._wake.set()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_RENEWALS)
            for claimed in [*self._under_way.values()]:
                # Where it cannot be kept, its end says so: "lapsed".
                with suppress(Unavailable):
                    await self.outbox.keep(claimed, LEASE)

    async def _worth_it(self, *, expecting: bool) -> bool:
        """Count what waits, once a second at most where something is expected; whether there is anything."""
        now = self.elapsed()
        if expecting and now - self._counted_at < _SECONDS_BETWEEN_LOOKS:
            return True
        depth = await self.outbox.depth()
        self._counted_at = now
        self.metrics.job_depth.set(depth)
        return depth > 0

    async def _claim(self, room: Room) -> Sequence[ClaimedJob]:
        return await self.outbox.claim(self.holder, tuple(self.assignments), LEASE, room)

    def _begin(self, claimed: ClaimedJob) -> None:
        self._lanes.begin(claimed.job)
        task = asyncio.create_task(self._do(claimed))
        self._under_way[task] = claimed
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self._under_way[task]
        if self._more:
            self._wake.set()

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
            await self._note("dropped", claimed, partial(self.outbox.done, claimed), str(why))
        except Hopeless as why:
            await self._note("dead", claimed, partial(self.outbox.bury, claimed, str(why)), str(why))
        except Unavailable as failure:
            await self._failed(claimed, assignment, str(failure))
        except (ErrandFailed, TimeoutError) as failure:
            await self._failed(claimed, assignment, str(failure) or "it took too long")
            return False
        except Exception as defect:
            self.log.exception("job_defect", job=claimed.job.name, job_id=claimed.job.job_id)
            await self._failed(claimed, assignment, type(defect).__name__)
        else:
            await self._note("done", claimed, partial(self.outbox.done, claimed))
        return True

    async def _failed(self, claimed: ClaimedJob, assignment: Assignment, why: str) -> None:
        persistence = assignment.persistence
        if claimed.attempts >= persistence.attempts:
            await self._note("dead", claimed, partial(self.outbox.bury, claimed, why), why)
        else:
            delay = persistence.delay(claimed.attempts)
            await self._note("retried", claimed, partial(self.outbox.postpone, claimed, delay, why), why)

    async def _note(
        self, outcome: str, claimed: ClaimedJob, write: Callable[[], Awaitable[bool]], why: str = ""
    ) -> None:
        """Write down what became of it. Where that fails for good it is done again: the lease lapses."""
        try:
            if not await self._write(write):
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

    async def _write(self, write: Callable[[], Awaitable[bool]]) -> bool:
        """Raises ``Unavailable``: tried for about as long as a lease lasts, for a record that is back soon."""
        for seconds in self.pauses:
            with suppress(Unavailable):
                return await write()
            await asyncio.sleep(seconds)
        return await write()
