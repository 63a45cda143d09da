"""Counters and histograms for one event loop.

prometheus_client's own take a lock and build a label tuple at every step, which together cost a tenth of a request;
one thread needs no lock. Only what is counted here differs: names, types and the exposition are prometheus_client's.

What a label may say is bounded where it is counted. Should that ever fail, ``MOST_SERIES`` bounds it here: what comes
on top is counted as ``other``, and no scrape grows without end.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

MOST_SERIES = 2_000
"""Of one metric in one process; the most that one has by intent, requests by route and status, stays below half."""

OTHER = "other"

Labels = tuple[str, ...]


class CountedSeries(Collector):
    """A counter by label values."""

    def __init__(
        self,
        registry: CollectorRegistry,
        name: str,
        text: str,
        labels: Sequence[str],
        known: Iterable[Labels] = (),
    ) -> None:
        """``known``: there from the start, at 0, so that the first one counted is seen as an increase."""
        self._name, self._text, self._labels = name, text, labels
        self._counts: dict[Labels, int] = dict.fromkeys(known if labels else [()], 0)
        registry.register(self)

    def count(self, *labels: str, times: int = 1) -> None:
        counts = self._counts
        if labels in counts:
            counts[labels] += times
        else:
            labels = _bounded(labels, len(counts))
            counts[labels] = counts.get(labels, 0) + times

    def value(self, *labels: str) -> int:
        """How often these labels were counted."""
        return self._counts.get(labels, 0)

    def describe(self) -> Iterable[Metric]:
        return [CounterMetricFamily(self._name, self._text, labels=self._labels)]

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._text, labels=self._labels)
        for labels, count in tuple(self._counts.items()):
            family.add_metric(labels, count)
        return [family]


class TimedSeries(Collector):
    """A histogram of seconds by label values; where requests are traced, each bucket names the newest trace in it."""

    def __init__(
        self,
        registry: CollectorRegistry,
        name: str,
        text: str,
        labels: Sequence[str],
        bounds: Sequence[float],
        trace_id: Callable[[], str] | None = None,
    ) -> None:
        """``trace_id``: of what is being timed, empty where nobody could look it up."""
        self._name, self._text, self._labels, self._bounds = name, text, labels, tuple(bounds)
        self._trace_id = trace_id
        self._buckets: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}
        self._exemplars: dict[tuple[Labels, int], Exemplar] = {}
        if not labels:
            self._begin(())
        registry.register(self)

    def observe(self, seconds: float, *labels: str) -> None:
        buckets = self._buckets.get(labels)
        if buckets is None:
            labels = _bounded(labels, len(self._buckets))
            buckets = self._buckets.get(labels) or self._begin(labels)
        index = bisect_left(self._bounds, seconds)
        buckets[index] += 1
        self._sums[labels] += seconds
        if self._trace_id is not None and (trace_id := self._trace_id()):
            self._exemplars[labels, index] = Exemplar({"trace_id": trace_id}, seconds, time.time())

    def describe(self) -> Iterable[Metric]:
        return [HistogramMetricFamily(self._name, self._text, labels=self._labels)]

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for labels, counts in tuple(self._buckets.items()):
            below = 0
            buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
            for index, (bound, count) in enumerate(zip((*self._bounds, float("inf")), counts, strict=True)):
                below += count
                name = "+Inf" if bound == float("inf") else str(bound)
                exemplar = self._exemplars.get((labels, index))
                buckets.append((name, below) if exemplar is None else (name, below, exemplar))
            family.add_metric(labels, buckets, self._sums[labels])
        return [family]

    def _begin(self, labels: Labels) -> list[int]:
        self._sums[labels] = 0.0
        buckets = self._buckets[labels] = [0] * (len(self._bounds) + 1)
        return buckets


def _bounded(labels: Labels, series: int) -> Labels:
    return labels if series < MOST_SERIES else (OTHER,) * len(labels)
