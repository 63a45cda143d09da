"""Forgetting what other processes have written."""

from dataclasses import dataclass, field
from typing import Any

from authcenter.core.client import Client
from authcenter.core.resource import Resource
from authcenter.stores.cached.read_through import ReadThroughCache
from authcenter.stores.ports.tokens import ChangeFeed

LOOK_BACK_SECONDS = 60.0


@dataclass(slots=True)
class CacheInvalidation:
    """Makes caches forget what other processes have written."""

    feed: ChangeFeed
    clients: ReadThroughCache[Client]
    resources: ReadThroughCache[Resource]
    _seen: dict[tuple[str, str], int] = field(default_factory=dict)
    _read_at: float = float("-inf")

    async def poll(self, now: float) -> None:
        """Forget what changed since the last poll; everything, where that is too long ago. ``now``: Unix seconds.

        Raises:
            StoreUnavailable: Nothing was forgotten.
        """
        caches: dict[str, ReadThroughCache[Any]] = {"client": self.clients, "resource": self.resources}
        recent = await self.feed.recent_changes(LOOK_BACK_SECONDS)
        if now - self._read_at > LOOK_BACK_SECONDS / 2:
            for cache in caches.values():
                cache.forget_all()
        for kind, key, number in recent:
            if kind in caches and self._seen.get((kind, key)) != number:
                caches[kind].forget(key)
        self._seen = {(kind, key): number for kind, key, number in recent}
        self._read_at = now
