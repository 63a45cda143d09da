"""Follows the stream of revocations, so that what one instance revokes the others refuse within milliseconds.

The record is read beside it (``follow``): within each second without Redis, each ten with it.
"""

import asyncio
import random
from dataclasses import dataclass, field

from authcenter.core.clock import Clock
from authcenter.core.errors import SharedStateUnavailable, StoreUnavailable
from authcenter.settings.live import LivePolicy
from authcenter.stores.ports.spread import Position, RevocationSpread, StreamLost
from authcenter.telemetry.dependencies import note_dependency, note_revocations
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.tokens.announcing import Announcer
from authcenter.tokens.revocation import Revocations

_SECONDS_BETWEEN_TRIES = 0.2


@dataclass(slots=True)
class StreamFollower:
    """Notes the stream's end, reads the record, then follows from the noted end."""

    spread: RevocationSpread
    announcer: Announcer
    revocations: Revocations
    policy: LivePolicy
    clock: Clock
    health: Health
    metrics: Metrics
    log: Logger
    _position: Position | None = field(default=None, init=False)
    _lost: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Follow for ever; cancel the task to end it."""
        while True:
            if not await self.step():
                # Jitter, so that instances do not come back to a restarted server all at once.
                await asyncio.sleep(_SECONDS_BETWEEN_TRIES * random.uniform(0.5, 1.0))  # noqa: S311

    async def step(self) -> bool:
        """Follow for half a second at most; False where that did not work and should be tried again."""
        try:
            position = self._position or await self._begin()
            if position is None:
                await self._fall_behind()
                return False
            await self._follow(position)
            await self.announcer.settle()
        except SharedStateUnavailable as gone:
            self._note_redis(up=False, hint=gone.hint)
            await self._fall_behind()
            return False
        except StreamLost as lost:
            self.log.warning("revocation_stream_lost", hint=str(lost))
            self._position, self._lost = None, True
            await self._fall_behind()
            return True
        except StoreUnavailable:
            # The worker that follows the record tells of it.
            return False
        except Exception:
            # A defect. Until it is over the record is read, and then it goes on behind what it may have stumbled over.
            self._position, self.revocations.epoch = None, None
            self._note_degraded()
            raise
        return True

    async def _begin(self) -> Position | None:
        """Note where the stream ends, then read the record; None where Redis knows too little to be followed."""
        position = await self.spread.position()
        self._note_redis(up=True)
        if position is None:
            return None
        width = self.policy.current.revocation.short_hash_bytes
        await (self.revocations.load(width) if self._lost else self.revocations.poll(width))
        self._position, self._lost = position, False
        return position

    async def _follow(self, position: Position) -> None:
        heard = await self.spread.follow(position)
        at = self.clock.seconds()
        self._note_redis(up=True)
        self._position = heard.position
        certain = self.revocations.hear(heard, at)
        self._note_degraded()
        if not certain:
            await self.revocations.poll(self.policy.current.revocation.short_hash_bytes)

    async def _fall_behind(self) -> None:
        """Redis cannot be relied on any more: what it has not told is in the record."""
        followed, self.revocations.epoch = self.revocations.epoch, None
        self._note_degraded()
        if followed is not None:
            try:
                await self.revocations.poll(self.policy.current.revocation.short_hash_bytes)
            except StoreUnavailable as gone:
                self.log.warning("revocations_unread", hint=gone.hint)

    def _note_redis(self, *, up: bool, hint: str = "") -> None:
        note_dependency(self.health, self.metrics, self.log, "redis", up=up, hint=hint)

    def _note_degraded(self) -> None:
        record_up = self.health.dependencies.get("database", False)
        degraded = self.revocations.degraded(record_up=record_up)
        note_revocations(self.health, self.metrics, self.log, degraded=degraded)
