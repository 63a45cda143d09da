"""How jobs of the outbox are done: who does each kind, and how long it is tried."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol


class ErrandFailed(Exception):
    """It did not come about; try again later. The text is for operators: a few words, never a secret."""


class Pointless(Exception):
    """There is nothing left to do. The text says why."""


class Hopeless(Exception):
    """It cannot come about, however often it is tried; operators should look at it. The text: as ``ErrandFailed``."""


class Errand(Protocol):
    """Does one kind of job."""

    async def act(self, payload: Mapping[str, Any]) -> None:
        """Do it; it may have been done before.

        Raises:
            ErrandFailed, StoreUnavailable: Try again later.
            Pointless: Do not.
            Hopeless: Do not, and keep it to be looked at.
        """
        ...


@dataclass(frozen=True, slots=True)
class Persistence:
    """How long one kind of job is tried.

    Attributes:
        attempts: After so many it is given up.
        first_delay: After the first failure; doubled with each further one up to ``longest_delay``.
        time_limit: Of one try.
    """

    attempts: int = 12
    first_delay: timedelta = timedelta(seconds=5)
    longest_delay: timedelta = timedelta(hours=1)
    time_limit: timedelta = timedelta(seconds=10)

    def delay(self, attempts: int) -> timedelta:
        """How long to wait after so many failures: half of it by lot, so that what failed together is not tried so."""
        doubled: timedelta = self.first_delay * (1 << min(attempts - 1, 30))
        return min(doubled, self.longest_delay) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who does a kind of job, and how long it is tried."""

    errand: Errand
    persistence: Persistence = Persistence()
