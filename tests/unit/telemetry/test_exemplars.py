"""Exemplars: from a slow request on a dashboard to its trace (OpenMetrics 1.0)."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import exposition
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from authcenter.serving.report import Report, from_line, to_line
from authcenter.telemetry.log_context import EXPORTED_TRACE
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.snapshot import Family, MergedRegistry, merged, snapshot

OLD, NEW = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b74bf92f3577b34da6"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


@contextmanager
def traced(trace_id: str) -> Iterator[None]:
    """What a request does whose trace is exported."""
    token = EXPORTED_TRACE.set(trace_id)
    try:
        yield
    finally:
        EXPORTED_TRACE.reset(token)


def taken(metrics: Metrics) -> list[Family]:
    """A snapshot that has gone through the link between a worker and its supervisor."""
    report = Report(1, serving=True, ready=True, health={}, memory=0, metrics=snapshot(metrics.registry, metrics.rules))
    return from_line(to_line(report)).metrics


def exemplars(registry: Collector) -> dict[str, Exemplar]:
    """By the bound of the bucket, those of token requests; as who scrapes reads them."""
    encoder, content_type = exposition.choose_encoder(OPEN_METRICS)
    assert content_type.startswith("application/openmetrics-text")
    families = {family.name: family for family in read_open_metrics(encoder(registry).decode())}
    samples = families["authcenter_token_request_seconds"].samples
    return {sample.labels["le"]: sample.exemplar for sample in samples if sample.exemplar}


@pytest.mark.parametrize("name", ["token_seconds", "introspection_seconds", "http_seconds"])
def test_a_bucket_names_the_newest_trace_in_it(name: str) -> None:
    metrics = Metrics()
    series = getattr(metrics, name)
    labels = ["x"] * len(series._labels)
    for trace_id in (OLD, NEW):
        with traced(trace_id):
            series.observe(0.03, *labels)
    series.observe(0.04, *labels)
    (family,) = series.collect()
    told = {one.labels["le"]: one.exemplar for one in family.samples if one.exemplar}
    assert {bound: (one.labels, one.value) for bound, one in told.items()} == {"0.05": ({"trace_id": NEW}, 0.03)}


def test_without_traces_there_are_none() -> None:
    metrics = Metrics()
    metrics.token_seconds.observe(0.03, "password")
    assert exemplars(metrics.registry) == {}


def test_the_plain_text_has_none() -> None:
    metrics = Metrics()
    with traced(OLD):
        metrics.token_seconds.observe(0.03, "password")
    assert OLD not in exposition.generate_latest(metrics.registry).decode()
    assert exemplars(metrics.registry)["0.05"].labels == {"trace_id": OLD}


def test_of_several_workers_the_newest_stays() -> None:
    workers = Metrics(), Metrics()
    for metrics, trace_id in zip(workers, (OLD, NEW), strict=True):
        with traced(trace_id):
            metrics.token_seconds.observe(0.03, "password")
    with traced(OLD):
        workers[0].token_seconds.observe(2.0, "password")
    families = [taken(metrics) for metrics in workers]
    for order in (families, families[::-1]):
        told = exemplars(MergedRegistry(merged(order)))
        assert {bound: one.labels["trace_id"] for bound, one in told.items()} == {"0.05": NEW, "2.5": OLD}


def test_one_worker_is_exposed_as_its_registry_is() -> None:
    metrics = Metrics()
    with traced(OLD):
        metrics.token_seconds.observe(0.03, "password")
    assert exemplars(MergedRegistry(merged([taken(metrics)]))) == exemplars(metrics.registry)
