"""Rotation of signing keys by policy: makes the key that is due, destroys the private half of one that is dropped.

That a published key begins to sign, and another ceases to, follows from their instants on every instance by itself.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from authcenter.core.clock import Clock
from authcenter.core.errors import Conflict, Unavailable
from authcenter.keys.pausing import RotationBrake
from authcenter.keys.rotation import KeyRotation
from authcenter.keys.schedule import RotationRules, Succession, next_successions, spent_keys
from authcenter.keys.source import LiveKeyRing
from authcenter.settings.live import LivePolicy
from authcenter.stores.ports.locks import Locks
from authcenter.telemetry.logs import Logger

ACTOR = "system"
LOCK = "keys.rotation"
_LOCK_LASTS = timedelta(seconds=60)
_SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(slots=True)
class RotationWorker:
    """One instance's part in it. The lock saves the others the work; that only one key is made, the store decides.

    Attributes:
        holder: This process, among those that want the lock.
        ready: Whether this process may act: it has loaded all it needs, and its clock is right.
    """

    rotation: KeyRotation
    keys: LiveKeyRing
    brake: RotationBrake
    locks: Locks
    policy: LivePolicy
    clock: Clock
    log: Logger
    holder: str
    ready: Callable[[], bool]
    _postponed: bool = field(default=False, init=False)
    _signing: dict[str, str] = field(default_factory=dict, init=False)

    async def run(self) -> None:
        """Look for ever; cancel the task to end it."""
        while True:
            await self.step()
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret

    async def step(self) -> None:
        """Do what is due, where it is this instance's turn. What cannot be done now is tried again at the next step."""
        if not self.ready():
            return
        self._tell_who_signs()
        try:
            await self._act()
        except (Unavailable, Conflict) as failure:
            if not self._postponed:
                self.log.warning("key_rotation_postponed", hint=str(failure))
            self._postponed = True
        else:
            self._postponed = False

    async def _act(self) -> None:
        # By what this process holds already: nothing is asked of anybody as long as nothing is due.
        if not self._due() and not self._spent():
            return
        if await self.brake.standing() or not await self.locks.acquire(LOCK, self.holder, _LOCK_LASTS):
            return
        try:
            await self.keys.reload()
            for succession in self._due():
                if made := await self.rotation.succeed(succession, ACTOR):
                    self.log.info(
                        "signing_key_made", kid=made.kid, alg=made.alg, signs_from=made.signs_from.isoformat()
                    )
            for kid, ceased_at in self._spent():
                if await self.rotation.drop(kid, ceased_at, ACTOR):
                    self.log.info("signing_key_dropped", kid=kid)
            await self.keys.reload()
        finally:
            await self.locks.release(LOCK, self.holder)

    def _due(self) -> list[Succession]:
        now = self.clock.now()
        found = next_successions(self.keys.ring, RotationRules.of(self.policy.current), now)
        return [succession for succession in found if succession.due_at <= now]

    def _spent(self) -> list[tuple[str, datetime]]:
        return spent_keys(self.keys.ring, self.keys.with_private_half, self.clock.now())

    def _tell_who_signs(self) -> None:
        for alg, key in self.keys.ring.signing.items():
            before, self._signing[alg] = self._signing.get(alg), key.kid
            if before not in (None, key.kid):
                self.log.info("signing_key_took_over", kid=key.kid, alg=alg, after=before)
