"""What a process notes when its policy changes: in its metrics, its health and its log."""

from collections.abc import Callable

from authcenter.settings.live import Outcome
from authcenter.settings.policy import Policy
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger, set_level
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.tracing import Tracing, traced_job


def policy_listener(
    health: Health, metrics: Metrics, log: Logger, tracing: Tracing | None
) -> Callable[[Outcome, str, tuple[str, ...], Policy], None]:
    """For ``LivePolicy.subscribe``."""

    def note(outcome: Outcome, source: str, problems: tuple[str, ...], policy: Policy) -> None:
        metrics.config_reloads.count(source, outcome)
        health.policy_version = policy.version
        if outcome is not Outcome.REJECTED:
            health.policy_source = source
            health.missing.discard("policy")
        with traced_job(tracing, "reload the policy", {"authcenter.source": source, "authcenter.outcome": outcome}):
            if outcome is Outcome.REJECTED:
                log.error("policy_rejected", source=source, problems=problems, in_force=policy.version)
            if outcome is Outcome.ACCEPTED:
                set_level(policy.logging.level)
                log.info("policy_accepted", source=source, version=policy.version)

    return note
