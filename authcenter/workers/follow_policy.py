"""Keeps this process on the policy of its source, and tells whether Consul answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from authcenter.settings.live import LivePolicy, Outcome, watch
from authcenter.settings.source import PolicySource
from authcenter.telemetry.dependencies import note_dependency
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class PolicyFollower:
    """Offers what the source tells.

    Attributes:
        first: The document as it is now, asked for once before the first request; None where that is not known.
        keep: Told of each document that is in force; must not raise.
    """

    live: LivePolicy
    source: PolicySource
    first: Callable[[], Awaitable[str | None]]
    keep: Callable[[str], None]

    async def load(self) -> None:
        """Ask once, so that the first request is answered by the newest policy where the source answers."""
        text = await self.first()
        if text is not None and self.live.offer(text, self.source.name).outcome is not Outcome.REJECTED:
            self.keep(text)

    async def run(self) -> None:
        """Follow for ever; cancel the task to end it."""
        await watch(self.live, self.source, self.keep)


@dataclass(slots=True)
class ConsulReport:
    """What operators hear of Consul: gauge, readiness, and a log line where something changes, not at every answer."""

    health: Health
    metrics: Metrics
    log: Logger
    _hint: str = field(default="", init=False)

    def note(self, up: bool, hint: str) -> None:
        """After every answer, and every failure to get one; ``hint`` is what is the matter, empty: nothing."""
        note_dependency(self.health, self.metrics, self.log, "consul", up=up, hint=hint)
        if up and hint and hint != self._hint:
            self.log.warning("policy_absent", hint=hint, remedy="look at Consul; `authcenter policy push` writes one")
        # A new hint while it is down would tell of each of the ways in which one outage shows.
        self._hint = hint if up else ""
