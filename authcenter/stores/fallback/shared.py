"""Shared state in Redis and, while Redis is gone, in its stated fallback."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from authcenter.core.clock import Clock
from authcenter.core.errors import SharedStateUnavailable
from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import RateCounters, ReplayCache, Taken, WakeUps


@dataclass(slots=True)
class FallbackReplayCache(ReplayCache):
    """For as long as what was used in the fallback could be used again, that is asked too.

    What was used just before Redis went is not known to the fallback: such a value may be used once more.

    Raises (``first_use``):
        StoreUnavailable: Neither answers; what may be used once is refused then.
    """

    first: ReplayCache
    second: ReplayCache
    clock: Clock
    _asked_until: float = field(default=0.0, init=False)

    async def first_use(self, kind: str, value: str, lives: timedelta) -> bool:
        now = self.clock.seconds()
        try:
            fresh = await self.first.first_use(kind, value, lives)
        except SharedStateUnavailable:
            self._asked_until = max(self._asked_until, now + lives.total_seconds())
            return await self.second.first_use(kind, value, lives)
        if fresh and now < self._asked_until:
            return await self.second.first_use(kind, value, lives)
        return fresh


@dataclass(frozen=True, slots=True)
class FallbackRateCounters(RateCounters):
    """Counts in the one that answers; neither knows what the other has counted."""

    first: RateCounters
    second: RateCounters

    async def take(self, key: str, rate: Rate, slots: int = 1) -> Taken:
        try:
            return await self.first.take(key, rate, slots)
        except SharedStateUnavailable:
            return await self.second.take(key, rate, slots)

    async def give_back(self, key: str, rate: Rate, slots: int = 1) -> None:
        try:
            await self.first.give_back(key, rate, slots)
        except SharedStateUnavailable:
            await self.second.give_back(key, rate, slots)


@dataclass(frozen=True, slots=True)
class FallbackWakeUps(WakeUps):
    """While Redis is gone nobody is woken: who waits looks for work when the time is up."""

    first: WakeUps

    async def wake(self, queue: str) -> None:
        try:
            await self.first.wake(queue)
        except SharedStateUnavailable:
            return

    async def wait(self, queue: str, at_most: timedelta) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + at_most.total_seconds()
        try:
            return await self.first.wait(queue, at_most)
        except SharedStateUnavailable:
            await asyncio.sleep(until - loop.time())
            return False
