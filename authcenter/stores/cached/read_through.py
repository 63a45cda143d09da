"""A cache that loads what it lacks, protected against the three ways in which caches fail.

Penetration: what does not exist is remembered too, briefly and in bounded number. Breakdown: one load per key at a
time, here and, over the second level, among all processes. Avalanche: every lifetime is drawn anew around the
policy's. While the record does not answer, what is known is served, for ``stale_if_error`` after it was read.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Generic, TypeVar

from authcenter.core.clock import Clock
from authcenter.core.errors import StoreUnavailable
from authcenter.settings.policy import Policy
from authcenter.stores.cached.codec import Loaded
from authcenter.stores.cached.second_level import SecondLevel

V = TypeVar("V")

_MOST_ENTRIES = 10_000
_MOST_ABSENT = 1_000
_LONGEST_KEY = 512


class ReadThroughCache(Generic[V]):
    """Caches by string key what ``load`` finds, or that it finds nothing. Looks like the store it stands before."""

    def __init__(
        self,
        load: Callable[[str], Awaitable[V | None]],
        policy: Callable[[], Policy],
        clock: Clock,
        count: Callable[[str], None],
        draw: Callable[[float, float], float] = random.uniform,
        second: SecondLevel[V] | None = None,
    ) -> None:
        self._load, self._policy, self._clock, self._count, self._draw = load, policy, clock, count, draw
        self._second = second
        self._present: dict[str, Loaded[V]] = {}
        self._absent: dict[str, Loaded[V]] = {}
        self._flights: dict[str, asyncio.Task[tuple[V | None, str]]] = {}

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
            value, outcome = await self._fly(key)
        except StoreUnavailable:
            oldest = self._clock.seconds() - self._policy().cache.stale_if_error
            # That something did not exist is no answer in an outage: it may have been made since.
            known = self._present.get(key) or entry
            if known is None or known.value is None or known.loaded_at < oldest:
                self._count("error")
                raise
            self._count("stale")
            return known.value
        self._count(outcome)
        return value

    def forget(self, key: str) -> None:
        """Load ``key`` anew when it is next asked for. A load under way may have read what is now old: not kept."""
        self._flights.pop(key, None)
        for entries in (self._present, self._absent):
            if key in entries:
                entries[key] = replace(entries[key], fresh_until=0.0)

    def forget_all(self) -> None:
        for key in (*self._present, *self._absent, *self._flights):
            self.forget(key)
        if self._second is not None:
            self._second.distrust()

    async def invalidate(self, key: str) -> None:
        """Forget ``key`` here and in the second level, in the order in which nothing old comes back from there."""
        if self._second is not None:
            await self._second.remove(key)
        self.forget(key)

    async def _fly(self, key: str) -> tuple[V | None, str]:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._obtain_and_keep(key))
        # Shielded: who gives up waiting does not end the flight of the others.
        return await asyncio.shield(flight)

    async def _obtain_and_keep(self, key: str) -> tuple[V | None, str]:
        own = asyncio.current_task()
        try:
            if self._second is None:
                loaded, outcome = await self._load_now(key), "miss"
                if self._flights.get(key) is own:
                    self._keep(key, loaded)
                return loaded.value, outcome
            return await self._obtain_over(self._second, key, own)
        finally:
            if self._flights.get(key) is own:
                del self._flights[key]

    async def _obtain_over(
        self, second: SecondLevel[V], key: str, own: "asyncio.Task[object] | None"
    ) -> tuple[V | None, str]:
        found, lease = await second.find_or_lease(key, lambda known: self._keep_known(key, known))
        if found is not None:
            if self._flights.get(key) is own:
                self._keep(key, found)
            return found.value, "shared"
        try:
            loaded = await self._load_now(key)
            if self._flights.get(key) is own and self._keep(key, loaded) and lease:
                held, lease = lease, ""
                await second.fill(key, loaded, held)
            return loaded.value, "miss"
        finally:
            if lease:
                await second.give_up(key, lease)

    async def _load_now(self, key: str) -> Loaded[V]:
        started, cache = self._clock.seconds(), self._policy().cache
        value = await self._load(key)
        lifetime = cache.negative_ttl if value is None else cache.ttl
        return Loaded(value, started, started + lifetime * self._draw(1 - cache.jitter, 1 + cache.jitter))

    def _keep_known(self, key: str, known: Loaded[V]) -> None:
        """Remember for an outage what the second level knew last."""
        held = self._present.get(key)
        if known.value is not None and (held is None or held.loaded_at < known.loaded_at):
            self._keep(key, replace(known, fresh_until=0.0))

    def _keep(self, key: str, loaded: Loaded[V]) -> bool:
        """Keep it here; False where that has pushed out what was still good, so that it need not go further."""
        absent = loaded.value is None
        entries, others = (self._absent, self._present) if absent else (self._present, self._absent)
        others.pop(key, None)
        crowded = False
        if len(entries) >= (_MOST_ABSENT if absent else _MOST_ENTRIES) and key not in entries:
            # The oldest goes: dictionaries keep the order of insertion.
            oldest = entries.pop(next(iter(entries)))
            crowded = absent and self._clock.seconds() < oldest.fresh_until
        entries[key] = loaded
        return not crowded
