"""``/console``: how this process is, and what it lacks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

from authcenter.core.clock import Clock
from authcenter.core.errors import Unavailable
from authcenter.core.value import Value
from authcenter.http.console.guard import Console, Operator
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.keys.source import LiveKeyRing
from authcenter.settings.live import LivePolicy
from authcenter.stores.ports.audit_trail import AuditTrail, Checkpoint
from authcenter.telemetry.health import Health

PATH = "/console"


class SigningNow(Value, frozen=True):
    """A key that signs. ``days``: for how long it has."""

    kid: str
    alg: str
    days: int


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Version, health, policy, keys, the audit log.

    Attributes:
        queue: How many audit rows of this process are not in the database yet.
        revocations_age: Seconds since revocations were last heard of.
    """

    console: Console
    health: Health
    policy: LivePolicy
    keys: LiveKeyRing
    trail: AuditTrail
    queue: Callable[[], int]
    revocations_age: Callable[[], float]
    clock: Clock

    def mount(self, router: Router) -> None:
        self.console.mount(router, PATH, self.get)

    async def get(self, visit: Visit, operator: Operator) -> Answer:
        checkpoint, known = await self._checkpoint()
        return self.console.show(
            visit,
            operator,
            "overview",
            "console_overview.html",
            version=version("authcenter"),
            health=self.health,
            down=[name for name, up in self.health.dependencies.items() if not up],
            policy_version=self.policy.current.version,
            signing=self._signing(),
            checkpoint=checkpoint,
            checkpoint_known=known,
            queue=self.queue(),
            revocations_age=self.revocations_age(),
        )

    def _signing(self) -> list[SigningNow]:
        now = self.clock.now()
        keys = sorted(self.keys.ring.signing.values(), key=lambda key: key.alg)
        return [SigningNow(key.kid, key.alg, (now - key.signs_from) // timedelta(days=1)) for key in keys]

    async def _checkpoint(self) -> tuple[Checkpoint | None, bool]:
        """The last one, and whether that could be told."""
        try:
            return await self.trail.last_checkpoint(), True
        except Unavailable:
            return None, False
