"""The outbox: jobs that transactions left (``Consequences.jobs``), until somebody has done them."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

from authcenter.core.event import Event
from authcenter.core.job import ClaimedJob, Job, Room


class Outbox(Protocol):
    """Jobs at rest. All times are the database's own. Whoever claims a job has it for the time of a lease.

    A job is done at least once: one whose runner dies, or outlasts its lease, is given to the next who asks.
    """

    async def add(self, jobs: Sequence[Job], events: Sequence[Event] = ()) -> None:
        """Leave jobs that belong to no other write, and what the audit log says of them, in one transaction.

        A job that is there already, done or not, is left as it is.
        """
        ...

    async def claim(self, holder: str, names: Collection[str], lease: timedelta, room: Room) -> Sequence[ClaimedJob]:
        """Take jobs that are due, the longest due first, as many as there is room for; nobody else is given them
        meanwhile.

        Args:
            names: What the caller knows how to do.
        """
        ...

    async def keep(self, claimed: ClaimedJob, lease: timedelta) -> bool:
        """It is still being done: have it for ``lease`` from now on. False: as ``done``."""
        ...

    async def done(self, claimed: ClaimedJob) -> bool:
        """It is done. False: the lease had lapsed, and another has it."""
        ...

    async def postpone(self, claimed: ClaimedJob, delay: timedelta, error: str) -> bool:
        """It failed; it is due again after ``delay``. False: as ``done``."""
        ...

    async def bury(self, claimed: ClaimedJob, error: str) -> bool:
        """It is not tried again; the row stays for operators to look at. False: as ``done``."""
        ...

    async def depth(self) -> int:
        """How many jobs are neither done nor buried."""
        ...
