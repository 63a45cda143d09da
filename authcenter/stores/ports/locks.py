"""Locks, in the record: what is done under one is done there, and Redis may forget."""

from datetime import timedelta
from typing import Protocol


class Locks(Protocol):
    """Lets one instance do what all would do. A lock lapses by itself; it saves work, it decides nothing.

    Every method may raise ``StoreUnavailable``.
    """

    async def acquire(self, name: str, holder: str, lasts: timedelta) -> bool:
        """Take the lock, or keep it where ``holder`` has it already."""
        ...

    async def release(self, name: str, holder: str) -> None:
        """Give it back, where ``holder`` still has it."""
        ...
