"""The queue of job ids within one process."""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from datetime import timedelta

from authcenter.core.job import Job
from authcenter.stores.ports.job_queue import JobQueue

_MOST_WAITING = 1_000


class MemoryJobQueue(JobQueue):
    """Where nobody takes them ids are dropped, the oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[str]] = {}
        self._changed = asyncio.Condition()

    async def push(self, jobs: Sequence[Job]) -> None:
        async with self._changed:
            for job in jobs:
                self._waiting.setdefault(job.name, deque(maxlen=_MOST_WAITING)).append(job.job_id)
            self._changed.notify_all()

    async def pop(self, names: Collection[str], at_most: timedelta) -> str | None:
        try:
            async with asyncio.timeout(at_most.total_seconds()), self._changed:
                await self._changed.wait_for(lambda: any(self._waiting.get(name) for name in names))
                return next(self._waiting[name].popleft() for name in sorted(names) if self._waiting.get(name))
        except TimeoutError:
            return None
