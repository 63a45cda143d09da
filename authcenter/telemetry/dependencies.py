"""Whether a dependency answers, and what that means: in the log, the metrics and the health of this process at once."""

from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics


def note_dependency(health: Health, metrics: Metrics, log: Logger, name: str, *, up: bool, hint: str = "") -> None:
    """Told once, when it changes: an outage must not flood the log."""
    if health.dependencies.get(name) is not up:
        if up:
            log.info("dependency_up", dependency=name)
        else:
            log.error("dependency_down", dependency=name, hint=hint)
    health.dependencies[name] = up
    metrics.dependency_up.labels(name).set(up)


def note_revocations(health: Health, metrics: Metrics, log: Logger, *, degraded: bool) -> None:
    """Told once, when it changes: whether what is revoked elsewhere gets here as the policy demands."""
    metrics.revocation_degraded.set(degraded)
    if degraded is not health.revocations_degraded:
        health.revocations_degraded = degraded
        if degraded:
            log.error("revocation_degraded", hint="what is revoked elsewhere is not known here, or not in time")
        else:
            log.info("revocation_restored")
