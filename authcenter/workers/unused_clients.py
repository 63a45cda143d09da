"""Removes clients that anybody could register and that nobody has used: else strangers fill the record for good."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from authcenter.clients.registry import ClientRegistry
from authcenter.core.clock import Clock
from authcenter.core.errors import NotFound, Unavailable
from authcenter.settings.live import LivePolicy
from authcenter.stores.ports.locks import Locks
from authcenter.stores.ports.unused_clients import UnusedClients
from authcenter.telemetry.logs import Logger

ACTOR = "system"
LOCK = "clients.unused"
MOST_A_STEP = 100
_LOCK_LASTS = timedelta(seconds=60)
_SECONDS_BETWEEN_LOOKS = 60.0


@dataclass(slots=True)
class UnusedClientsWorker:
    """One instance's part in it. Two at once would do no harm: the lock saves the second the work.

    Attributes:
        holder: This process, among those that want the lock.
        ready: Whether this process may act.
        sleep: Takes seconds.
    """

    unused: UnusedClients
    registry: ClientRegistry
    locks: Locks
    policy: LivePolicy
    clock: Clock
    log: Logger
    holder: str
    ready: Callable[[], bool]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _postponed: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Look for ever; cancel the task to end it."""
        while True:
            # First the pause: whoever has just started has requests to look after.
            await self.sleep(_SECONDS_BETWEEN_LOOKS * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            await self.step()

    async def step(self) -> int:
        """Remove some, where it is this instance's turn; how many. What cannot be done now is tried again."""
        kept = self.policy.current.registration.unused_ttl
        if not kept or not self.ready():
            return 0
        try:
            removed = await self._remove(timedelta(seconds=kept))
        except Unavailable as failure:
            if not self._postponed:
                self.log.warning("unused_clients_postponed", hint=str(failure))
            self._postponed = True
            return 0
        self._postponed = False
        if removed:
            self.log.info("unused_clients_removed", clients=removed)
        return removed

    async def _remove(self, kept: timedelta) -> int:
        if not await self.locks.acquire(LOCK, self.holder, _LOCK_LASTS):
            return 0
        removed = 0
        try:
            for client_id in await self.unused.list_unused(self.clock.now() - kept, MOST_A_STEP):
                try:
                    # As an operator would: told in the audit log, and every instance hears of it.
                    await self.registry.delete(client_id, ACTOR)
                except NotFound:
                    continue
                removed += 1
        finally:
            await self.locks.release(LOCK, self.holder)
        return removed
