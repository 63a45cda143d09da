"""A cache that loads what it lacks, protected against the three ways in which caches fail.

Penetration: what does not exist is remembered too, briefly and in bounded number. Breakdown: one load per key at a
time. Avalanche: every lifetime is drawn anew around the policy's. While the record does not answer, what is known is
served, where it exists, for ``stale_if_error`` after it was read.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from authcenter.core.clock import Clock
from authcenter.core.errors import StoreUnavailable
from authcenter.settings.policy import Policy

V = TypeVar("V")

_MOST_ENTRIES = 10_000
_MOST_ABSENT = 1_000
_LONGEST_KEY = 512


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V | None
    fresh_until: float
    loaded_at: float


class ReadThroughCache(Generic[V]):
    """Caches by string key what ``load`` finds, or that it finds nothing. Looks like the store it stands before."""

    def __init__(
        self,
        load: Callable[[str], Awaitable[V | None]],
        policy: Callable[[], Policy],
        clock: Clock,
        count: Callable[[str], None],
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._load, self._policy, self._clock, self._count, self._draw = load, policy, clock, count, draw
        self._present: dict[str, _Entry[V]] = {}
        self._absent: dict[str, _Entry[V]] = {}
        self._flights: dict[str, asyncio.Task[V | None]] = {}

    async def find(self, key: str, /) -> V | None:
        """The value of ``key``, or None where the record has none.

        Raises:
            StoreUnavailable: The record does not answer, and nothing recent enough is known.
        """
        entry = self._present.get(key) or self._absent.get(key)
        if entry is not None and self._clock.seconds() < entry.fresh_until:
            self._count("hit")
            return entry.value
        if len(key) > _LONGEST_KEY:
            return None
        try:
            value = await self._fly(key)
        except StoreUnavailable:
            oldest = self._clock.seconds() - self._policy().cache.stale_if_error
            # That something did not exist is no answer in an outage: it may have been made since.
            if entry is None or entry.value is None or entry.loaded_at < oldest:
                self._count("error")
                raise
            self._count("stale")
            return entry.value
        self._count("miss")
        return value

    def forget(self, key: str) -> None:
        """Load ``key`` anew when it is next asked for. A load under way may have read what is now old: not kept."""
        self._flights.pop(key, None)
        for entries in (self._present, self._absent):
            if key in entries:
                entries[key].fresh_until = 0.0

    def forget_all(self) -> None:
        for key in (*self._present, *self._absent, *self._flights):
            self.forget(key)

    async def _fly(self, key: str) -> V | None:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._load_and_keep(key))
        # Shielded: who gives up waiting does not end the flight of the others.
        return await asyncio.shield(flight)

    async def _load_and_keep(self, key: str) -> V | None:
        own = asyncio.current_task()
        started = self._clock.seconds()
        try:
            value = await self._load(key)
            if self._flights.get(key) is own:
                self._keep(key, value, started)
            return value
        finally:
            if self._flights.get(key) is own:
                del self._flights[key]

    def _keep(self, key: str, value: V | None, now: float) -> None:
        cache = self._policy().cache
        lifetime = cache.negative_ttl if value is None else cache.ttl
        fresh_until = now + lifetime * self._draw(1 - cache.jitter, 1 + cache.jitter)
        entries, others = (self._absent, self._present) if value is None else (self._present, self._absent)
        others.pop(key, None)
        if len(entries) >= (_MOST_ABSENT if value is None else _MOST_ENTRIES) and key not in entries:
            # The oldest goes: dictionaries keep the order of insertion.
            del entries[next(iter(entries))]
        entries[key] = _Entry(value, fresh_until, now)
