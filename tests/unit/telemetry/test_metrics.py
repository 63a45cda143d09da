"""Metrics: names of the contract, counted without a lock, read by Prometheus."""

import math

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.series import CountedSeries, TimedSeries

NAMES = [
    "token_request",
    "token_request_seconds",
    "introspection",
    "introspection_seconds",
    "refresh_replay_detected",
    "access_token_validation_failure",
    "revocation",
    "revocation_list_entries",
    "revocation_replica_lag_seconds",
    "revocation_degraded",
    "dependency_up",
    "config_reload",
    "config_version",
    "signing_key_age_seconds",
    "cache_requests",
    "login",
    "audit_events",
    "http_request_seconds",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_the_contract(name: str) -> None:
    described = {family.name for collector in Metrics().registry._collector_to_names for family in collector.collect()}
    assert f"authcenter_{name}" in described


def test_a_counter_counts_by_labels() -> None:
    registry = CollectorRegistry()
    series = CountedSeries(registry, "things", "Things.", ["kind"])
    for kind in ("a", "b", "a"):
        series.count(kind)
    assert registry.get_sample_value("things_total", {"kind": "a"}) == 2
    assert registry.get_sample_value("things_total", {"kind": "b"}) == 1


def test_a_counter_without_labels_is_there_from_the_start() -> None:
    registry = CollectorRegistry()
    CountedSeries(registry, "things", "Things.", [])
    assert registry.get_sample_value("things_total") == 0


@pytest.mark.parametrize(("seconds", "least"), [(0.05, "0.1"), (0.1, "0.1"), (0.11, "1.0"), (5.0, "+Inf")])
def test_a_histogram_counts_at_and_below_each_bound(seconds: float, least: str) -> None:
    registry = CollectorRegistry()
    series = TimedSeries(registry, "things_seconds", "Things.", ["kind"], [0.1, 1.0])
    series.observe(seconds, "a")
    buckets = {
        bound: registry.get_sample_value("things_seconds_bucket", {"kind": "a", "le": bound})
        for bound in ("0.1", "1.0", "+Inf")
    }
    assert [bound for bound, count in buckets.items() if count] == list(buckets)[list(buckets).index(least) :]
    assert registry.get_sample_value("things_seconds_sum", {"kind": "a"}) == seconds
    assert registry.get_sample_value("things_seconds_count", {"kind": "a"}) == 1


def test_what_is_exposed_can_be_read() -> None:
    metrics = Metrics()
    metrics.token_requests.count('a"b\\c\nd', "granted")
    metrics.token_seconds.observe(0.01, "x")
    families = {
        family.name: family for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
    }
    (sample,) = families["authcenter_token_request"].samples
    assert sample.labels == {"grant_type": 'a"b\\c\nd', "outcome": "granted"}
    buckets = [one for one in families["authcenter_token_request_seconds"].samples if one.name.endswith("_bucket")]
    assert [one.value for one in buckets] == sorted(one.value for one in buckets)
    assert math.isinf(float(buckets[-1].labels["le"]))
