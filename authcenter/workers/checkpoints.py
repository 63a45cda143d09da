"""Signs how far the audit chains have come: one instance for all, while there are events."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from authcenter.audit.checkpoints import CheckpointKeys, checkpoint_document, next_checkpoint
from authcenter.core.clock import Clock
from authcenter.core.errors import Unavailable
from authcenter.stores.ports.audit_trail import AuditTrail, Checkpoint
from authcenter.stores.ports.locks import Locks
from authcenter.telemetry.logs import Logger

LOCK = "audit checkpoint"


@dataclass(slots=True)
class CheckpointWorker:
    """One instance's part in it. Of two at once, one finds the number taken.

    Attributes:
        every: Seconds between two.
        holder: This process, among those that want the lock.
        ready: Whether this process may act.
        sleep: Takes seconds.
    """

    trail: AuditTrail
    locks: Locks
    keys: CheckpointKeys
    every: Callable[[], int]
    clock: Clock
    log: Logger
    holder: str
    ready: Callable[[], bool]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _postponed: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Sign for ever; cancel the task to end it."""
        while True:
            await self.sleep(self.every())
            await self.step()

    async def step(self) -> Checkpoint | None:
        """Sign, where there is something new and it is this instance's turn."""
        if not self.ready():
            return None
        try:
            made = await self._sign()
        except Unavailable as failure:
            if not self._postponed:
                self.log.warning("audit_checkpoint_postponed", hint=str(failure))
            self._postponed = True
            return None
        self._postponed = False
        return made

    async def _sign(self) -> Checkpoint | None:
        # A little longer than until this instance asks again: it keeps its turn.
        if not await self.locks.acquire(LOCK, self.holder, timedelta(seconds=self.every() + 5)):
            return None
        heads = await self.trail.moved_heads()
        if not heads:
            return None
        checkpoint = self.keys.sign(next_checkpoint(await self.trail.last_checkpoint(), self.clock.now(), heads))
        if not await self.trail.add_checkpoint(checkpoint):
            return None
        # A copy that lies where whoever can write to the database cannot.
        self.log.info("audit_checkpoint", checkpoint=checkpoint_document(checkpoint))
        return checkpoint
