"""The level between this process and the record: what one process has loaded, the others need not load.

One process at a time fills an entry, by a lease; the others wait for it, but not for ever. A write ends the lease, so
that what was read before it can not be kept after it. While Redis is gone every process loads for itself.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Generic, TypeVar

from authcenter.core.clock import Clock
from authcenter.core.errors import SharedStateUnavailable
from authcenter.core.ids import uuid7
from authcenter.settings.policy import Policy
from authcenter.stores.cached.codec import Loaded, RecordCodec
from authcenter.stores.ports.shared import SealedEntries

V = TypeVar("V")

_LONGEST_WAIT_SECONDS = 1.0
_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.005, 0.05
# Other machines' clocks may be off by as much as readiness lets pass, in either direction.
_SKEW_SECONDS = 2.0


def anything(_: object) -> bool:
    return True


class SecondLevel(Generic[V]):
    """Entries of one kind that instances share."""

    def __init__(
        self,
        entries: SealedEntries,
        kind: str,
        codec: RecordCodec[V],
        policy: Callable[[], Policy],
        clock: Clock,
        may_leave: Callable[[V], bool] = anything,
    ) -> None:
        """``may_leave``: whether a value may be kept outside the record and this process."""
        self._entries, self._kind, self._codec, self._policy, self._clock = entries, kind, codec, policy, clock
        self._may_leave = may_leave
        self._nothing_before = 0.0

    async def find_or_lease(self, key: str, known: Callable[[Loaded[V]], None]) -> tuple[Loaded[V] | None, str]:
        """A fresh entry, or the right to fill it (a lease, else empty: load it, and keep it to yourself).

        Args:
            known: Told of an entry that is no longer fresh: better than none in an outage.
        """
        try:
            return await self._find_or_lease(key, known)
        except SharedStateUnavailable:
            return None, ""

    async def fill(self, key: str, loaded: Loaded[V], lease: str) -> None:
        """Keep what was loaded under ``lease``, where it may be kept, and end the lease. Raises nothing."""
        cache = self._policy().cache
        lives = loaded.fresh_until - self._clock.seconds()
        if loaded.value is not None:
            lives += cache.stale_if_error
        try:
            if lives > 0 and (loaded.value is None or self._may_leave(loaded.value)):
                name, entry = self._name(key), self._codec.write(loaded)
                await self._entries.put(name, entry, timedelta(seconds=lives), lease)
            else:
                await self._entries.give_up(self._name(key), lease)
        except SharedStateUnavailable:
            return

    async def give_up(self, key: str, lease: str) -> None:
        """End the lease without an entry. Raises nothing."""
        try:
            await self._entries.give_up(self._name(key), lease)
        except SharedStateUnavailable:
            return

    async def remove(self, key: str) -> None:
        """Let no process find what was loaded until now. Raises nothing."""
        try:
            await self._entries.remove(self._name(key))
        except SharedStateUnavailable:
            # It may be there when Redis comes back: nothing that old is believed here any more.
            self.distrust()

    def distrust(self) -> None:
        """Believe nothing that was loaded until now: this process has missed what was written meanwhile."""
        self._nothing_before = self._clock.seconds() + _SKEW_SECONDS

    async def _find_or_lease(self, key: str, known: Callable[[Loaded[V]], None]) -> tuple[Loaded[V] | None, str]:
        name, loop = self._name(key), asyncio.get_running_loop()
        lock_seconds = self._policy().cache.lock_ttl
        give_up_at = loop.time() + min(lock_seconds, _LONGEST_WAIT_SECONDS)
        pause = _SHORTEST_PAUSE_SECONDS
        while True:
            if found := await self._fresh(name, known):
                return found, ""
            lease = uuid7()
            if await self._entries.lease(name, lease, timedelta(seconds=lock_seconds)):
                # Whoever had the lease until now may have filled the entry in between.
                if found := await self._fresh(name, known):
                    await self._entries.give_up(name, lease)
                    return found, ""
                return None, lease
            if loop.time() >= give_up_at:
                return None, ""
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _fresh(self, name: str, known: Callable[[Loaded[V]], None]) -> Loaded[V] | None:
        written = await self._entries.get(name)
        found = self._codec.read(written) if written is not None else None
        if found is None:
            return None
        cache, now = self._policy().cache, self._clock.seconds()
        longest = (cache.negative_ttl if found.value is None else cache.ttl) * (1 + cache.jitter)
        fresh_until = min(found.fresh_until, found.loaded_at + longest)
        if self._nothing_before <= found.loaded_at <= now + _SKEW_SECONDS and now < fresh_until:
            return Loaded(found.value, found.loaded_at, fresh_until)
        known(found)
        return None

    def _name(self, key: str) -> str:
        return entry_name(self._kind, key)


def entry_name(kind: str, key: str) -> str:
    """By which an entry is known to whoever removes it."""
    return f"{kind}:{key}"
