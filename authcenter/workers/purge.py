"""Deletes rows that nothing needs any more: in small batches with pauses, by one instance at a time."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from authcenter.core.clock import Clock
from authcenter.core.errors import Unavailable
from authcenter.stores.ports.eviction import Evictable, Eviction
from authcenter.stores.ports.locks import Locks
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics

LOCK = "eviction"
BATCH_ROWS = 500
MOST_COUNTED = 100_000
"""The gauge counts no further: what it is for is to tell a backlog from none."""
_LOCK_LASTS = timedelta(seconds=90)
_SECONDS_BEFORE_RENEWAL = 30
_SECONDS_BETWEEN_BATCHES = 0.05
_SECONDS_BETWEEN_ROUNDS = 60.0


@dataclass(slots=True)
class PurgeWorker:
    """One instance's part in it. Two at once would do no harm: the lock saves the second the work.

    Attributes:
        holder: This process, among those that want the lock.
        ready: Whether this process may act.
        sleep: Takes seconds.
    """

    eviction: Eviction
    locks: Locks
    metrics: Metrics
    clock: Clock
    log: Logger
    holder: str
    ready: Callable[[], bool]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _held_since: float = field(default=float("-inf"), init=False)
    _postponed: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Evict for ever; cancel the task to end it."""
        while True:
            # First the pause: whoever has just started has requests to look after.
            await self.sleep(_SECONDS_BETWEEN_ROUNDS * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            await self.step()

    async def step(self) -> None:
        """Evict all that is dead, where it is this instance's turn. What fails is tried again at the next step."""
        if not self.ready():
            return
        try:
            await self._evict_all()
        except Unavailable as failure:
            if not self._postponed:
                self.log.warning("eviction_postponed", hint=str(failure))
            self._postponed = True
        else:
            self._postponed = False

    async def _evict_all(self) -> None:
        self._held_since = float("-inf")
        for table in Evictable:
            if not await self._evict(table):
                # Another instance's gauge tells it; two would be added up.
                self.metrics.eviction_backlog.clear()
                return

    async def _evict(self, table: Evictable) -> bool:
        """Evict what is dead in ``table``; False where the lock is another's."""
        if not await self._hold():
            return False
        evicted, backlog = 0, await self.eviction.backlog(table, MOST_COUNTED)
        while await self._hold():
            self.metrics.eviction_backlog.labels(table).set(max(backlog - evicted, 0))
            batch = await self.eviction.evict(table, BATCH_ROWS)
            if not batch:
                self.metrics.eviction_backlog.labels(table).set(0)
                if evicted:
                    self.log.info("evicted", table=table, rows=evicted)
                return True
            evicted += batch
            await self.sleep(_SECONDS_BETWEEN_BATCHES)
        return False

    async def _hold(self) -> bool:
        """Whether this instance has the lock; renewed in time, so that it does not lapse over a long backlog."""
        now = self.clock.seconds()
        if now - self._held_since < _SECONDS_BEFORE_RENEWAL:
            return True
        held = await self.locks.acquire(LOCK, self.holder, _LOCK_LASTS)
        self._held_since = now if held else float("-inf")
        return held
