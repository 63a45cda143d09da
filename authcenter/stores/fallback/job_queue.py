"""The queue of job ids without Redis: nobody is woken, and who waits looks into the outbox when the time is up."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from authcenter.core.errors import SharedStateUnavailable
from authcenter.core.job import Job
from authcenter.stores.ports.job_queue import JobQueue


@dataclass(frozen=True, slots=True)
class FallbackJobQueue(JobQueue):
    """Raises nothing."""

    first: JobQueue

    async def push(self, jobs: Sequence[Job]) -> None:
        try:
            await self.first.push(jobs)
        except SharedStateUnavailable:
            return

    async def pop(self, names: Collection[str], at_most: timedelta) -> str | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + at_most.total_seconds()
        try:
            return await self.first.pop(names, at_most)
        except SharedStateUnavailable:
            await asyncio.sleep(until - loop.time())
            return None
