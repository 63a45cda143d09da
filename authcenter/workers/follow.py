"""Keeps this process in step with the record: schema, keys, revocations, what caches must forget.

Until everything has been loaded once the process is not ready; a record that does not answer is asked again for ever.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from authcenter.core.clock import Clock
from authcenter.core.errors import Conflict, StoreUnavailable, Unavailable
from authcenter.keys.rotation import KeyRotation
from authcenter.keys.source import LiveKeyRing
from authcenter.settings.live import LivePolicy
from authcenter.telemetry.dependencies import note_dependency, note_revocations
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.tracing import Tracing, traced_job
from authcenter.tokens.revocation import Revocations

SECONDS_BETWEEN_POLLS = 0.75
"""Bounds, with the time of a query, how late a revocation of another process is honoured without Redis (2 s); short
enough that the revocation feed tells of nearly all within a second."""

_MOST_SECONDS_BETWEEN_TRIES = 2.0


@dataclass(frozen=True, slots=True)
class Follower:
    """One loop that loads what is missing and then follows.

    Attributes:
        migrated: Whether the schema is the newest; migrates it where this process may.
        database_now: The database's clock.
        forget: Makes caches forget what others wrote; takes Unix seconds.
        actor: Who makes the first keys, for the audit log.
    """

    migrated: Callable[[], Awaitable[bool]]
    database_now: Callable[[], Awaitable[datetime]]
    forget: Callable[[float], Awaitable[None]]
    rotation: KeyRotation
    keys: LiveKeyRing
    revocations: Revocations
    policy: LivePolicy
    clock: Clock
    health: Health
    metrics: Metrics
    log: Logger
    actor: str = "system"
    tracing: Tracing | None = None
    _back: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Follow for ever; cancel the task to end it."""
        failures = 0
        while True:
            failures = 0 if await self.step() else failures + 1
            pause = min(SECONDS_BETWEEN_POLLS * (1 + failures / 4), _MOST_SECONDS_BETWEEN_TRIES)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._back.wait(), pause * random.uniform(0.8, 1.0))  # noqa: S311 - jitter
            self._back.clear()

    async def step(self) -> bool:
        """Load or follow once; False where the record does not answer."""
        try:
            with traced_job(self.tracing, "follow the record"):
                await self._follow()
        except (StoreUnavailable, Conflict) as failure:
            self._note_database(up=False, hint=str(failure))
            return False
        except Exception:
            # A defect. Until it is over nothing is learnt from the record, which answers all the same.
            degraded = self.revocations.degraded(record_up=False)
            note_revocations(self.health, self.metrics, self.log, degraded=degraded)
            raise
        self._note_database(up=True)
        return True

    def database_changed(self, up: bool, hint: str) -> None:
        """Told by whoever uses the record. That it is gone shows at once; that it is back, when it has been read."""
        if up:
            self._back.set()
        else:
            self._note_database(up=False, hint=hint)

    async def _follow(self) -> None:
        missing = self.health.missing
        if "schema" in missing:
            if not await self.migrated():
                self._tell_once("schema_pending", remedy="run `authcenter db upgrade`")
                return
            missing.discard("schema")
        if "signing keys" in missing and await self._ensured():
            missing.discard("signing keys")
        self.health.clock_skew = await self._clock_skew()
        await self.revocations.keep_up(self.policy.current.revocation.short_hash_bytes)
        missing.discard("revocations")
        await self.keys.reload()
        for kid in self.keys.unreadable:
            self._tell_once("signing_key_unreadable", kid=kid, remedy="look at its row in signing_keys")
        await self.forget(self.clock.seconds())

    async def _ensured(self) -> bool:
        """Whether there are keys to sign with. Those in Consul are made with Consul, but used without."""
        try:
            await self.rotation.ensure(self.actor)
        except StoreUnavailable:
            raise
        except Unavailable as failure:
            self._tell_once("signing_keys_not_made", hint=str(failure))
            return self.policy.current.tokens.signing_alg in self.keys.ring.signing
        return True

    async def _clock_skew(self) -> float:
        asked = self.clock.seconds()
        told = (await self.database_now()).timestamp()
        # A database that answers late is slow, not wrong: only what lies outside of the question's time is skew.
        return max(asked - told, 0.0) + min(self.clock.seconds() - told, 0.0)

    def _tell_once(self, event: str, **fields: str) -> None:
        """What stays wrong is logged once, not at every step."""
        if (event, *fields.values()) not in self.health.told:
            self.health.told.add((event, *fields.values()))
            self.log.error(event, **fields)

    def _note_database(self, *, up: bool, hint: str = "") -> None:
        note_dependency(self.health, self.metrics, self.log, "database", up=up, hint=hint)
        degraded = self.revocations.degraded(record_up=up)
        if degraded and up:
            # The policy wants Redis asked, and its stream is not followed, or not yet: its follower tells of that.
            self.metrics.revocation_degraded.set(degraded)
        else:
            note_revocations(self.health, self.metrics, self.log, degraded=degraded)
