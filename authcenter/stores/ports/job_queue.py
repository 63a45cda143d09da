"""The queue of jobs that have just been left: it spares who works the waiting, and decides nothing."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

from authcenter.core.job import Job


class JobQueue(Protocol):
    """Ids of jobs, by name, each given to one who waits. It may lose them: the outbox is asked from time to time too.

    Every method may raise ``SharedStateUnavailable``.
    """

    async def push(self, jobs: Sequence[Job]) -> None:
        """Say that these jobs are in the outbox."""
        ...

    async def pop(self, names: Collection[str], at_most: timedelta) -> str | None:
        """The id of a job of those names as soon as there is one; None after ``at_most``. It may be done already."""
        ...
