"""The metrics of several processes as those of one.

Each process tells a snapshot of its registry. Counters and histograms are summed, a gauge's value follows the rule that
stands beside the gauge, and of exemplars the newest stays. What a process had counted stays counted when it ends; its
gauges go with it.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar, Sample


class Over(StrEnum):
    """What the value of several processes is."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"


_FOLD: Mapping[Over, Callable[[float, float], float]] = {
    Over.SUM: lambda one, other: one + other,
    Over.MIN: min,
    Over.MAX: max,
}


SampleKey = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class SampleTrace:
    """The exemplar of one sample: the trace that was counted there last.

    Attributes:
        sample: Name and labels.
        value: Of the one observation.
        at: Unix time.
    """

    sample: str
    labels: dict[str, str]
    trace_id: str
    value: float
    at: float

    @property
    def key(self) -> SampleKey:
        return self.sample, tuple(self.labels.items())


@dataclass(frozen=True, slots=True)
class Family:
    """One metric of one process. ``samples``: name, labels and value, in the order of their exposition."""

    name: str
    text: str
    type: str
    over: Over
    samples: list[tuple[str, dict[str, str], float]]
    traces: list[SampleTrace] = field(default_factory=list)


def snapshot(registry: Collector, rules: Mapping[str, Over]) -> list[Family]:
    """What a registry holds now. ``rules``: of each gauge; whatever is not there is summed."""
    return [
        Family(
            family.name,
            family.documentation,
            family.type,
            rules.get(family.name, Over.SUM),
            # JSON has no such number, and a sum or an extreme of it would say nothing.
            [(one.name, dict(one.labels), one.value) for one in family.samples if math.isfinite(one.value)],
            [_trace(one, one.exemplar) for one in family.samples if one.exemplar is not None],
        )
        for family in registry.collect()
    ]


def counted(families: Iterable[Family]) -> list[Family]:
    """Those that outlive their process."""
    return [family for family in families if family.type != "gauge"]


def merged(snapshots: Iterable[Sequence[Family]]) -> list[Family]:
    """Several snapshots as one."""
    families: dict[str, Family] = {}
    values: dict[str, dict[SampleKey, float]] = {}
    traces: dict[str, dict[SampleKey, SampleTrace]] = {}
    for family in (family for one in snapshots for family in one):
        families.setdefault(family.name, family)
        known = values.setdefault(family.name, {})
        for name, labels, value in family.samples:
            key = name, tuple(labels.items())
            known[key] = _FOLD[family.over](known[key], value) if key in known else value
        newest = traces.setdefault(family.name, {})
        for trace in family.traces:
            if trace.key not in newest or newest[trace.key].at < trace.at:
                newest[trace.key] = trace
    return [
        Family(
            family.name,
            family.text,
            family.type,
            family.over,
            [(name, dict(labels), value) for (name, labels), value in values[family.name].items()],
            list(traces[family.name].values()),
        )
        for family in families.values()
    ]


class MergedRegistry(Collector):
    """Shows families to Prometheus's own exposition."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        for family in self._families:
            metric = Metric(family.name, family.text, family.type)
            traces = {trace.key: _exemplar(trace) for trace in family.traces}
            metric.samples = [
                Sample(name, labels, value, exemplar=traces.get((name, tuple(labels.items()))))
                for name, labels, value in family.samples
            ]
            yield metric


def _trace(sample: Sample, exemplar: Exemplar) -> SampleTrace:
    at = float(exemplar.timestamp or 0)
    return SampleTrace(sample.name, dict(sample.labels), exemplar.labels["trace_id"], exemplar.value, at)


def _exemplar(trace: SampleTrace) -> Exemplar:
    return Exemplar({"trace_id": trace.trace_id}, trace.value, trace.at)
