"""Time comes by constructor, so that tests own it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where everything that asks for the time asks for it."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def seconds(self) -> float:
        """The same instant as Unix seconds, for the hot path."""
        ...


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds(self) -> float:
        return time.time()
