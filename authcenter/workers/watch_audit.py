"""Watches the young end of the audit log for the metrics: one instance for all."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from authcenter.audit.watching import YoungRows
from authcenter.core.errors import Unavailable
from authcenter.stores.ports.locks import Locks
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics

LOCK = "audit watch"
_SECONDS_BETWEEN_LOOKS = 60.0


@dataclass(frozen=True, slots=True)
class AuditWatch:
    """One instance's part in it. What it has found it tells until it ends: nothing mends a broken chain.

    Attributes:
        holder: This process, among those that want the lock.
        ready: Whether this process may act.
        sleep: Takes seconds.
    """

    rows: YoungRows
    locks: Locks
    metrics: Metrics
    log: Logger
    holder: str
    ready: Callable[[], bool]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self) -> None:
        """Look for ever; cancel the task to end it."""
        while True:
            await self.step()
            await self.sleep(_SECONDS_BETWEEN_LOOKS)

    async def step(self) -> None:
        """Look once, where it is this instance's turn. While the record does not answer, the last word stands."""
        if not self.ready():
            return
        with suppress(Unavailable):
            # A little longer than until this instance asks again: it keeps its turn.
            if await self.locks.acquire(LOCK, self.holder, timedelta(seconds=_SECONDS_BETWEEN_LOOKS + 15)):
                for finding in await self.rows.look():
                    self.log.error("audit_chain_broken", where=finding.where, what=finding.what)
                self.metrics.audit_broken.set(bool(self.rows.found))
