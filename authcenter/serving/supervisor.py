"""Keeps a number of workers running behind one set of listening sockets."""

import asyncio
import math
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from authcenter.serving.crew import Crew
from authcenter.serving.worker import Worker
from authcenter.telemetry.logs import Logger

_SECONDS_BETWEEN_QUESTIONS = 1.0
"""How much of what a worker has counted is lost at most when it is killed, and no scrape has shown it."""

_STEADY_SECONDS = 10.0
"""Who has lived so long has not died of its start."""

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 10.0
_MOST_DOUBLINGS = 10
_MOST_TRIES = 3
_READY_SECONDS = 60.0
_DRAIN_SECONDS = 20.0


class NoWorkerError(Exception):
    """No worker ever came up."""


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Starts workers, starts them again when they die, and replaces them one after the other.

    Attributes:
        command: What a worker runs.
        first_options: For the first worker to come up, and no other.
        listeners: What every worker inherits.
        told: Waits until it is known outside that the service is not ready any more; None: nobody needs to know.
    """

    command: Sequence[str]
    first_options: Sequence[str]
    listeners: Sequence[socket.socket]
    crew: Crew
    log: Logger
    told: Callable[[], Awaitable[None]] | None = None
    came_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stopped: asyncio.Event, renewal: asyncio.Event) -> None:
        """Keep the workers running until ``stopped``; then let them finish what they have begun.

        Args:
            renewal: Asks for every worker to be replaced; cleared when that begins.

        Raises:
            NoWorkerError: The first ones died of their start.
        """
        first, *others = [_Place(self, number) for number in range(1, self.crew.size + 1)]
        duties = [first.keep(), self._keep(others), self._renew([first, *others], renewal), self._ask(), stopped.wait()]
        tasks = [asyncio.create_task(duty) for duty in duties]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            self.crew.draining = True
            if self.told is not None:
                # Dead workers are still replaced meanwhile: requests come until all know.
                await self.told()
        finally:
            self.crew.draining = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end()

    async def start(self, number: int) -> Worker | None:
        """A new worker; None where the system has no room for it."""
        options = () if self.came_up.is_set() else self.first_options
        try:
            worker = await Worker.start(number, [*self.command, *options], self.listeners)
        except OSError as problem:
            self.log.warning("worker_not_started", worker=number, problem=str(problem))
            return None
        self.crew.join(worker)
        self.log.info("worker_started", worker=number, pid=worker.pid)
        return worker

    async def bury(self, worker: Worker) -> None:
        """Wait for its end, and keep what it had counted."""
        code = await worker.end()
        self.crew.leave(worker)
        note = self.log.info if code == 0 or self.crew.draining else self.log.error
        note("worker_ended", worker=worker.number, pid=worker.pid, exit_code=code)

    async def dismiss(self, worker: Worker) -> None:
        """Let it finish what it has begun; kill it where that takes too long."""
        worker.terminate()
        _, late = await asyncio.wait([asyncio.create_task(worker.end())], timeout=_DRAIN_SECONDS)
        if late:
            self.log.error("worker_did_not_end", worker=worker.number, pid=worker.pid)
            worker.kill()
        await self.bury(worker)

    async def _keep(self, places: "Sequence[_Place]") -> None:
        """The first has brought the record up to date: then all others at once."""
        await self.came_up.wait()
        await asyncio.gather(*(place.keep() for place in places))

    async def _renew(self, places: "Sequence[_Place]", renewal: asyncio.Event) -> None:
        await self.came_up.wait()
        while True:
            await renewal.wait()
            renewal.clear()
            self.log.info("rolling_restart")
            for place in places:
                # All others would fare the same.
                if not await place.replace():
                    break
            else:
                self.log.info("rolling_restart_done")

    async def _ask(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_QUESTIONS)
            await self.crew.ask()

    async def _end(self) -> None:
        # Before the workers close theirs: whichever is last takes in who still waits, as one process would.
        for listener in self.listeners:
            listener.close()
        await asyncio.gather(*(self.dismiss(worker) for worker in self.crew.workers))


def pause_after(failures: int) -> float:
    """Seconds until a worker is started after so many that died at once, at least one."""
    # No more doublings than it takes: some thousand are no number any more.
    pause = _FIRST_PAUSE_SECONDS * float(2 ** min(failures - 1, _MOST_DOUBLINGS))
    return min(pause, _LONGEST_PAUSE_SECONDS)


class _Place:
    """The place of one worker, which always has one."""

    def __init__(self, supervisor: Supervisor, number: int) -> None:
        self._supervisor, self._number = supervisor, number
        self._worker: Worker | None = None
        self._changing = asyncio.Lock()

    async def keep(self) -> None:
        """Start a worker whenever there is none, for ever; later and later where they die at once.

        Raises:
            NoWorkerError: None came up, and this has been tried often enough.
        """
        supervisor, failures = self._supervisor, 0
        while True:
            began = asyncio.get_running_loop().time()
            await self._live()
            # Where none has ever served, a long life was a slow death.
            steady = supervisor.came_up.is_set() and asyncio.get_running_loop().time() - began >= _STEADY_SECONDS
            failures = 0 if steady else failures + 1
            if failures >= _MOST_TRIES and not supervisor.came_up.is_set():
                raise NoWorkerError
            if failures:
                await asyncio.sleep(pause_after(failures) * random.uniform(0.8, 1.0))  # noqa: S311 - jitter, not a secret

    async def _live(self) -> None:
        """The life of whoever has this place, or of a new worker."""
        async with self._changing:
            if self._worker is None:
                self._worker = await self._supervisor.start(self._number)
            worker = self._worker
        if worker is None:
            return
        if await worker.reaches("serving", math.inf):
            self._supervisor.came_up.set()
        await worker.end()
        async with self._changing:
            # Else it was replaced, and has been buried by who did that.
            if self._worker is worker:
                self._worker = None
                await self._supervisor.bury(worker)

    async def replace(self) -> bool:
        """Let a new worker get ready, and then the old one go. False: it did not, and the old one stays."""
        supervisor = self._supervisor
        async with self._changing:
            old, new = self._worker, await supervisor.start(self._number)
            if new is None:
                return False
            if not await new.reaches("ready", _READY_SECONDS):
                supervisor.log.error("worker_not_ready", worker=self._number, pid=new.pid)
                await supervisor.dismiss(new)
                return False
            self._worker = new
        if old is not None:
            await supervisor.dismiss(old)
        return True
