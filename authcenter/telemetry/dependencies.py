"""Whether a dependency answers: in the log, the metrics and the health of this process, all at once."""

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
