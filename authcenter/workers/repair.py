"""Teaches Redis everything that is alive, after it was emptied or the short hash got another width."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from authcenter.core.clock import Clock
from authcenter.core.errors import SharedStateUnavailable, StoreUnavailable
from authcenter.core.ids import uuid7
from authcenter.settings.live import LivePolicy
from authcenter.stores.ports.spread import Epoch, Position, SpreadRepair
from authcenter.stores.ports.tokens import RevocationStore
from authcenter.telemetry.logs import Logger

_SECONDS_BETWEEN_LOOKS = 0.5
_CLAIM_LASTS = timedelta(seconds=10)
_LOOK_BACK_SECONDS = 60.0
# Instances get a new policy one after the other; they must not teach Redis by turns.
_SECONDS_UNTIL_WIDTH_COUNTS = 3.0


@dataclass(slots=True)
class SpreadRepairer:
    """Looks whether Redis has an epoch, and begins one where it has not; one instance at a time does it.

    Everything that Redis is asked for is taught before the epoch is set, so that an answer 'not revoked' is worth
    something in it. The stream is not filled with old entries: the new epoch makes everybody read the record anyway.
    """

    repair: SpreadRepair
    record: RevocationStore
    policy: LivePolicy
    clock: Clock
    leeway: Callable[[], timedelta]
    log: Logger
    _holder: str = field(default_factory=uuid7, init=False)
    _begun_at: float | None = field(default=None, init=False)
    _other_width_since: float | None = field(default=None, init=False)

    async def run(self) -> None:
        """Look for ever; cancel the task to end it."""
        while True:
            await self.step()
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS * random.uniform(0.8, 1.0))  # noqa: S311 - jitter

    async def step(self) -> bool:
        """Look, and repair where it is needed; whether an epoch was begun."""
        try:
            width = self.policy.current.revocation.short_hash_bytes
            await self._finish(width)
            if not self._needed(await self.repair.position(), width):
                return False
            if not await self.repair.claim(self._holder, _CLAIM_LASTS):
                return False
            # Looked at again: whoever had the claim before may have begun one meanwhile.
            needed = self._needed(await self.repair.position(), width)
            if needed:
                await self._teach(width)
            await self.repair.give_up(self._holder)
        except (SharedStateUnavailable, StoreUnavailable):
            # Those who follow tell of it; here it is tried again.
            return False
        return needed

    def _needed(self, position: Position | None, width: int) -> bool:
        if position is None or position.epoch.width == width:
            self._other_width_since = None
            return position is None
        now = self.clock.seconds()
        if self._other_width_since is None:
            self._other_width_since = now
        return now - self._other_width_since >= _SECONDS_UNTIL_WIDTH_COUNTS

    async def _teach(self, width: int) -> None:
        started, taught = self.clock.seconds(), 0
        async for batch in self.record.all_tokens(await self.record.now() - self.leeway()):
            await self.repair.teach(batch, width)
            await self.repair.claim(self._holder, _CLAIM_LASTS)
            taught += len(batch)
        await self._teach_recent(width, started)
        # Also where no answer comes: it may have begun all the same.
        self._begun_at = started
        await self.repair.begin(Epoch(width, uuid7()))
        self.log.info("revocations_taught", tokens=taught, short_hash_bytes=width)
        await self._finish(width)

    async def _finish(self, width: int) -> None:
        # Whoever announced while Redis was being taught did so in no epoch, or in the one before.
        if self._begun_at is not None:
            await self._teach_recent(width, self._begun_at)
            self._begun_at = None

    async def _teach_recent(self, width: int, since: float) -> None:
        tokens, _ = await self.record.recent(_LOOK_BACK_SECONDS + self.clock.seconds() - since)
        await self.repair.teach(tokens, width)
