"""State that instances share, for one instance alone: the twin of Redis in this process. It passes the same tests."""

import asyncio
import heapq
from datetime import timedelta
from typing import Generic, TypeVar

from authcenter.core.clock import Clock
from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import RateCounters, ReplayCache, SealedEntries, Taken, WakeUps
from authcenter.stores.slots import give_back_slots, take_slots

V = TypeVar("V")


class _Lapsing(Generic[V]):
    """Values that are gone after an instant of their own; what is gone takes no room."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._values: dict[str, tuple[V, float]] = {}
        self._due: list[tuple[float, str]] = []
        self._queued: set[str] = set()

    def get(self, key: str) -> V | None:
        value, until = self._values.get(key, (None, 0.0))
        return value if until > self._clock.seconds() else None

    def put(self, key: str, value: V, until: float) -> None:
        self._sweep()
        self._values[key] = value, until
        self._queue(key, until)

    def remove(self, key: str) -> None:
        self._values.pop(key, None)

    def _sweep(self) -> None:
        """Each key is queued once; one that lives longer by now is queued anew when its turn has come."""
        now = self._clock.seconds()
        while self._due and self._due[0][0] <= now:
            _, key = heapq.heappop(self._due)
            self._queued.discard(key)
            _, until = self._values.get(key, (None, 0.0))
            if until > now:
                self._queue(key, until)
            else:
                self._values.pop(key, None)

    def _queue(self, key: str, until: float) -> None:
        if key not in self._queued:
            self._queued.add(key)
            heapq.heappush(self._due, (until, key))


class MemoryReplayCache(ReplayCache):
    """What was used, by kind and value."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._used = clock, _Lapsing[bool](clock)

    async def first_use(self, kind: str, value: str, lives: timedelta) -> bool:
        key = f"{kind} {value}"
        if self._used.get(key):
            return False
        self._used.put(key, True, self._clock.seconds() + lives.total_seconds())
        return True


class MemoryRateCounters(RateCounters):
    """The instant at which all slots are free again, by key."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._free_at = clock, _Lapsing[float](clock)

    async def take(self, key: str, rate: Rate, slots: int = 1) -> Taken:
        taken, free_at = take_slots(self._free_at.get(key) or 0.0, self._clock.seconds(), rate, slots)
        if taken.allowed:
            self._free_at.put(key, free_at, free_at)
        return taken

    async def give_back(self, key: str, rate: Rate, slots: int = 1) -> None:
        held = self._free_at.get(key)
        if held is not None:
            free_at = give_back_slots(held, rate, slots)
            self._free_at.put(key, free_at, free_at)


class MemoryEntries(SealedEntries):
    """Cache entries and leases; there is nobody to seal them from."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._entries, self._leases = clock, _Lapsing[bytes](clock), _Lapsing[str](clock)

    async def get(self, key: str) -> bytes | None:
        return self._entries.get(key)

    async def lease(self, key: str, holder: str, lasts: timedelta) -> bool:
        if self._leases.get(key) not in {None, holder}:
            return False
        self._leases.put(key, holder, self._clock.seconds() + lasts.total_seconds())
        return True

    async def put(self, key: str, value: bytes, lives: timedelta, holder: str) -> bool:
        if self._leases.get(key) != holder:
            return False
        self._entries.put(key, value, self._clock.seconds() + lives.total_seconds())
        self._leases.remove(key)
        return True

    async def give_up(self, key: str, holder: str) -> None:
        if self._leases.get(key) == holder:
            self._leases.remove(key)

    async def remove(self, key: str) -> None:
        self._entries.remove(key)
        self._leases.remove(key)


class MemoryWakeUps(WakeUps):
    """A number per queue that rises; each object remembers which it has seen, as the one over Redis does."""

    def __init__(self) -> None:
        self._woken: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._changed = asyncio.Condition()

    async def wake(self, queue: str) -> None:
        async with self._changed:
            self._woken[queue] = self._woken.get(queue, 0) + 1
            self._changed.notify_all()

    async def wait(self, queue: str, at_most: timedelta) -> bool:
        seen = self._seen.setdefault(queue, self._woken.get(queue, 0))
        try:
            async with asyncio.timeout(at_most.total_seconds()), self._changed:
                await self._changed.wait_for(lambda: self._woken.get(queue, 0) != seen)
        except TimeoutError:
            return False
        self._seen[queue] = self._woken[queue]
        return True
