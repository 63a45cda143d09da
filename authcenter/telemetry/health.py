"""What this process knows of its own state; workers write it, the operators' listener shows it."""

from dataclasses import dataclass, field

_MOST_SKEW_SECONDS = 1.0


@dataclass(slots=True)
class Health:
    """Readiness, from the facts.

    Attributes:
        missing: What has not been loaded yet since the start.
        dependencies: Whether each dependency answered when it was last asked; absent before the first time.
        told: What has been logged and need not be again.
        policy_source: Where the policy in force came from; empty while it is not known.
        revocations_degraded: Whether revocations made elsewhere do not get here as the policy demands.
        draining: Whether this process is about to end, and should get no more requests.
        closing: Whether every answer closes its connection, too.
        clock_skew: Seconds by which this machine's clock is ahead of the database's.
    """

    missing: set[str] = field(default_factory=lambda: {"schema", "signing keys", "revocations"})
    dependencies: dict[str, bool] = field(default_factory=dict)
    revocations_degraded: bool = False
    clock_skew: float = 0.0
    draining: bool = False
    closing: bool = False
    told: set[tuple[str, ...]] = field(default_factory=set)
    policy_version: str = ""
    policy_source: str = ""

    @property
    def problems(self) -> list[str]:
        """Why this process must not get requests; none: it may."""
        problems = [f"{name} not loaded" for name in sorted(self.missing)]
        if self.draining:
            problems.append("draining")
        if abs(self.clock_skew) > _MOST_SKEW_SECONDS:
            problems.append(f"the clock differs from the database's by {self.clock_skew:.1f} s")
        return problems

    def report(self) -> dict[str, object]:
        """The body of ``/readyz``."""
        degraded = not all(self.dependencies.values())
        problems = self.problems
        return {
            "status": "unready" if problems else "degraded" if degraded else "ok",
            "dependencies": {name: "up" if up else "down" for name, up in self.dependencies.items()},
            "policy_version": self.policy_version,
            "policy_source": self.policy_source,
            **({"problems": problems} if problems else {}),
        }
