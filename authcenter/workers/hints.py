"""Forgets at once what others have written, where somebody says so; the follower finds out by itself a second later."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from authcenter.core.clock import Clock
from authcenter.core.errors import StoreUnavailable
from authcenter.stores.ports.shared import WakeUps

_WAIT = timedelta(seconds=30)
_LEAST_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class ChangeHints:
    """One loop that waits for a hint and then reads the change feed.

    Attributes:
        queue: The queue that writers wake.
        forget: Makes caches forget what others wrote; takes Unix seconds.
    """

    wake_ups: WakeUps
    queue: str
    forget: Callable[[float], Awaitable[None]]
    clock: Clock

    async def run(self) -> None:
        """Follow for ever; cancel the task to end it."""
        loop = asyncio.get_running_loop()
        while True:
            if not await self.wake_ups.wait(self.queue, _WAIT):
                continue
            began = loop.time()
            with suppress(StoreUnavailable):
                await self.forget(self.clock.seconds())
            # A long series of writes (an import) must not keep the feed busy: at most a fifth of the time is its.
            await asyncio.sleep(max(_LEAST_PAUSE_SECONDS, 4 * (loop.time() - began)))
