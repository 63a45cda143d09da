"""From samples to the table and the verdict: medians over the rounds, ratios, the targets."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final, Self

from tests.bench.work import Sample, Work

Samples = Mapping[Work, Mapping[str, list[Sample]]]

OURS: Final = "authcenter"
BARE: Final = "bare"
PEER: Final = "oidc-provider"
_MEBIBYTE: Final = 1 << 20
_MEMORY_MIB: Final = 150
# Least share of the bare handler, and of oidc-provider, both measured in the same run.
_LEAST: Final = {Work.CC_ES256: (0.42, 1.6), Work.INTROSPECTION: (0.65, 1.4), Work.VALIDATE: (0.70,)}


@dataclass(frozen=True, slots=True)
class Row:
    """One contender at one work: medians of rates and latencies, the sum of failures, the most memory."""

    per_second: float
    p50_ms: float
    p99_ms: float
    memory_mib: float
    cpu_share: float
    failures: int
    rounds: list[float]

    @classmethod
    def of(cls, samples: list[Sample]) -> Self:
        """Sum up the rounds."""
        return cls(
            per_second=round(median(sample.per_second for sample in samples), 1),
            p50_ms=round(median(sample.p50_ms for sample in samples), 3),
            p99_ms=round(median(sample.p99_ms for sample in samples), 3),
            memory_mib=round(max(sample.resident_bytes for sample in samples) / _MEBIBYTE, 1),
            cpu_share=round(median(sample.cpu_share for sample in samples), 3),
            failures=sum(sample.failures for sample in samples),
            rounds=[round(sample.per_second, 1) for sample in samples],
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised, and what came out."""

    name: str
    wanted: str
    got: float
    met: bool


Rows = dict[Work, dict[str, Row]]


def rows(samples: Samples) -> Rows:
    """One row for each work and contender."""
    return {work: {name: Row.of(taken) for name, taken in by_name.items()} for work, by_name in samples.items()}


def ratio(of: Rows, work: Work, other: str) -> float | None:
    """How many times the other's rate ours is; None where either did not do that work."""
    ours, theirs = of[work].get(OURS), of[work].get(other)
    return paired(ours, theirs) if ours and theirs else None


def ratios(of: Rows, work: Work) -> dict[str, float | None]:
    """Our rate beside each other contender's."""
    return {other: ratio(of, work, other) for other in (BARE, PEER)}


def paired(row: Row, other: Row) -> float:
    """The median of the rounds' own ratios: the two sides of a pair were taken within seconds."""
    return round(median(mine / yours for mine, yours in zip(row.rounds, other.rounds, strict=True)), 3)


def targets(of: Rows) -> list[Target]:
    """The targets that this run can speak to."""
    found: list[Target] = []
    for work, by_name in of.items():
        for other, least in zip((BARE, PEER), _LEAST.get(work, ()), strict=False):
            if (got := ratio(of, work, other)) is not None:
                found.append(Target(f"{work}: rate / {other}", f">= {least}", got, got >= least))
        if work in _LEAST and OURS in by_name and PEER in by_name:
            ours, theirs = by_name[OURS].p99_ms, by_name[PEER].p99_ms
            found.append(Target(f"{work}: p99 in ms", f"< {theirs} of {PEER}", ours, ours < theirs))
    if memory := [by_name[OURS].memory_mib for by_name in of.values() if OURS in by_name]:
        found.append(Target("resident memory in MiB", f"< {_MEMORY_MIB}", max(memory), max(memory) < _MEMORY_MIB))
    return found


def failures(of: Rows) -> int:
    """Answers above 399 and broken sockets, of all contenders: a run with any is void."""
    return sum(row.failures for by_name in of.values() for row in by_name.values())


def render(of: Rows) -> str:
    """The table for the terminal."""
    head = (
        f"{'':28}{'requests/s':>11}{'/bare':>7}{'/peer':>7}{'p50 ms':>8}{'p99 ms':>8}{'MiB':>7}{'core':>6}{'failed':>8}"
    )
    lines = [head]
    for work, by_name in of.items():
        lines.append(work.value)
        for name, row in by_name.items():
            shares = [_share(row, by_name.get(BARE)), _share(row, by_name.get(PEER))]
            lines.append(
                f"  {name:26}{row.per_second:>11,.0f}{shares[0]:>7}{shares[1]:>7}{row.p50_ms:>8.2f}{row.p99_ms:>8.2f}"
                f"{row.memory_mib:>7.0f}{row.cpu_share:>6.0%}{row.failures:>8}"
            )
    return "\n".join(lines)


def render_target(verdict: Target) -> str:
    """One line for a target."""
    return f"{'met   ' if verdict.met else 'MISSED'}  {verdict.name:58}{verdict.got:>13,.2f}  wanted {verdict.wanted}"


def _share(row: Row, other: Row | None) -> str:
    return f"{paired(row, other):.2f}" if other else ""
