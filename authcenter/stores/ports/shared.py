"""State that instances share for a while: each port has an in-process twin, a Redis and a stated fallback.

Every method may raise ``SharedStateUnavailable``; whoever composes a port with its fallback catches it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from authcenter.settings.rate import Rate


class ReplayCache(Protocol):
    """Remembers what may be used once for as long as it could be used (DPoP proofs, assertions)."""

    async def first_use(self, kind: str, value: str, lives: timedelta) -> bool:
        """Whether ``value`` has not been used before; of two callers one gets True."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of taking a slot.

    Attributes:
        allowed: Whether there was one.
        remaining: How many are left now.
        retry_after: Seconds until the next one; 0 where there is one.
        reset_after: Seconds until all are free again.
    """

    allowed: bool
    remaining: int
    retry_after: float
    reset_after: float


class RateCounters(Protocol):
    """Slots per key and time (GCRA: ``limit`` at once, then one every ``per_seconds / limit``)."""

    async def take(self, key: str, rate: Rate, slots: int = 1) -> Taken:
        """Take ``slots``, or none where there are not so many."""
        ...

    async def give_back(self, key: str, rate: Rate, slots: int = 1) -> None: ...


class SealedEntries(Protocol):
    """Cache entries that other instances may read. What does not open is a miss.

    Who fills an entry takes a lease first, which whoever removes the entry ends: what was read from the record before a
    write can not be kept after it.
    """

    async def get(self, key: str) -> bytes | None: ...

    async def lease(self, key: str, holder: str, lasts: timedelta) -> bool:
        """Take the right to fill the entry; False where somebody else has it."""
        ...

    async def put(self, key: str, value: bytes, lives: timedelta, holder: str) -> bool:
        """Fill the entry and end the lease; False, and nothing is kept, where ``holder`` does not have it."""
        ...

    async def give_up(self, key: str, holder: str) -> None:
        """End the lease without an entry, where ``holder`` has it."""
        ...

    async def remove(self, key: str) -> None:
        """Remove the entry, and end the lease of whoever is filling it."""
        ...


class WakeUps(Protocol):
    """Wakes whoever waits for work. A wake-up may be lost: the record is asked from time to time as well."""

    async def wake(self, queue: str) -> None: ...

    async def wait(self, queue: str, at_most: timedelta) -> bool:
        """Whether somebody woke this queue meanwhile."""
        ...
