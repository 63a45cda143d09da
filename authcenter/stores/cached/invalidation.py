"""Forgetting what other processes have written, and telling them what this one has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from authcenter.core.errors import SharedStateUnavailable
from authcenter.stores.cached.read_through import ReadThroughCache
from authcenter.stores.cached.second_level import entry_name
from authcenter.stores.ports.shared import SealedEntries, WakeUps
from authcenter.stores.ports.tokens import ChangeFeed

LOOK_BACK_SECONDS = 60.0

CHANGES = "changes"
"""The queue that wakes whoever reads the change feed."""


@dataclass(slots=True)
class CacheInvalidation:
    """Makes caches forget what other processes have written.

    Attributes:
        caches: By the kind of change that concerns them.
    """

    feed: ChangeFeed
    caches: Mapping[str, ReadThroughCache[Any]]
    _seen: dict[tuple[str, str], int] = field(default_factory=dict)
    _read_at: float = float("-inf")

    async def poll(self, now: float) -> None:
        """Forget what changed since the last poll; everything, where that is too long ago. ``now``: Unix seconds.

        Raises:
            StoreUnavailable: Nothing was forgotten.
        """
        recent = await self.feed.recent_changes(LOOK_BACK_SECONDS)
        if now - self._read_at > LOOK_BACK_SECONDS / 2:
            for cache in self.caches.values():
                cache.forget_all()
        for kind, key, number in recent:
            if kind in self.caches and self._seen.get((kind, key)) != number:
                await self.caches[kind].invalidate(key)
        self._seen = {(kind, key): number for kind, key, number in recent}
        self._read_at = now


@dataclass(frozen=True, slots=True)
class ChangeAnnouncement:
    """What a process does when it has written: nobody finds the old entry, and all look at the feed at once."""

    entries: SealedEntries
    wake_ups: WakeUps

    async def announce(self, changes: Sequence[tuple[str, str]]) -> None:
        """Raises nothing: without Redis the others find out when they next read the feed."""
        try:
            for kind, key in changes:
                await self.entries.remove(entry_name(kind, key))
            await self.wake_ups.wake(CHANGES)
        except SharedStateUnavailable:
            return
