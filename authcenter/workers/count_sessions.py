"""Counts who is signed in, for the metrics."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from authcenter.core.clock import Clock
from authcenter.core.errors import Unavailable
from authcenter.settings.live import LivePolicy
from authcenter.stores.ports.sessions import SessionStore
from authcenter.telemetry.metrics import Metrics

_SECONDS_BETWEEN_COUNTS = 60.0


@dataclass(frozen=True, slots=True)
class SessionCounter:
    """Asks the record once a minute how many sessions are alive. Every process tells the same number.

    Attributes:
        ready: Whether this process may act.
        sleep: Takes seconds.
    """

    store: SessionStore
    policy: LivePolicy
    metrics: Metrics
    clock: Clock
    ready: Callable[[], bool]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self) -> None:
        """Count for ever; cancel the task to end it."""
        while True:
            await self.step()
            await self.sleep(_SECONDS_BETWEEN_COUNTS * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

    async def step(self) -> None:
        """Count once. While the record does not answer, the last number stands."""
        if not self.ready():
            return
        now = self.clock.now()
        used_since = now - timedelta(seconds=self.policy.current.sessions.idle_ttl)
        with suppress(Unavailable):
            self.metrics.sessions_active.set(await self.store.count_alive(now, used_since))
