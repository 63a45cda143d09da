"""Metrics: names of the contract, counted without a lock, read by Prometheus."""

import math

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.series import MOST_SERIES, OTHER, CountedSeries, TimedSeries

# CONTRACT "Metrics": the name as it is exposed, its kind and its labels.
CONTRACT = {
    "token_request_total": ("counter", "grant_type outcome"),
    "token_request_seconds": ("histogram", "grant_type"),
    "introspection_seconds": ("histogram", ""),
    "introspection_total": ("counter", "outcome"),
    "refresh_replay_detected_total": ("counter", ""),
    "id_token_validation_failure_total": ("counter", "reason"),
    "access_token_validation_failure_total": ("counter", "reason"),
    "dpop_proof_failure_total": ("counter", "reason"),
    "jwks_cache_requests_total": ("counter", "outcome"),
    "jwks_cache_hit_ratio": ("gauge", ""),
    "revocation_total": ("counter", "kind"),
    "revocation_list_entries": ("gauge", ""),
    "revocation_replica_lag_seconds": ("gauge", ""),
    "revocation_degraded": ("gauge", ""),
    "dependency_up": ("gauge", "dependency"),
    "config_reload_total": ("counter", "source outcome"),
    "config_version": ("gauge", "version"),
    "signing_key_age_seconds": ("gauge", "kid alg"),
    "cache_requests_total": ("counter", "cache outcome"),
    "login_total": ("counter", "outcome"),
    "rate_limited_total": ("counter", "rule"),
    "sessions_active": ("gauge", ""),
    "audit_events_total": ("counter", "event"),
    "audit_queue_depth": ("gauge", ""),
    "http_request_seconds": ("histogram", "method route status"),
    "job_total": ("counter", "job outcome"),
    "job_queue_depth": ("gauge", ""),
    "eviction_backlog_rows": ("gauge", "table"),
}
FURTHER = {
    "status_claim_total": ("counter", "outcome"),
    "status_list_build_total": ("counter", "outcome"),
    "signing_key_rotation_seconds": ("gauge", ""),
    "audit_chain_broken": ("gauge", ""),
    "background_failure_total": ("counter", "work"),
}


def test_every_metric_of_the_contract_is_there_with_exactly_its_labels() -> None:
    told = {}
    for collector in Metrics().registry._collector_to_names:
        # Prometheus's own gauges say their labels elsewhere than our series, and all say them before anything happened.
        (family,) = collector.describe()
        labels = getattr(collector, "_labelnames", None)
        names = getattr(collector, "_labels", ()) if labels is None else labels
        name = family.name.removeprefix("authcenter_") + ("_total" if family.type == "counter" else "")
        told[name] = (family.type, " ".join(names))
    assert told == CONTRACT | FURTHER


@pytest.mark.parametrize("what", ["access_token_validation", "id_token_validation", "dpop_proof"])
def test_a_reason_is_there_before_its_first_failure(what: str) -> None:
    registry = Metrics().registry
    reasons = ["sig", "kid", "exp", "iat_skew", "nbf", "iss", "aud", "typ", "alg", "revoked", "binding", "malformed"]
    counts = {registry.get_sample_value(f"authcenter_{what}_failure_total", {"reason": reason}) for reason in reasons}
    assert counts == {0.0}


def test_labels_are_bounded_even_where_who_counts_does_not_bound_them() -> None:
    registry = CollectorRegistry()
    counter = CountedSeries(registry, "things", "Things.", ["kind"])
    histogram = TimedSeries(registry, "things_seconds", "Things.", ["kind"], [1.0])
    for number in range(MOST_SERIES + 10):
        counter.count(str(number))
        histogram.observe(0.1, str(number))
    counter.count("0")
    assert registry.get_sample_value("things_total", {"kind": "0"}) == 2
    assert registry.get_sample_value("things_total", {"kind": OTHER}) == 10
    assert registry.get_sample_value("things_seconds_count", {"kind": OTHER}) == 10
    assert registry.get_sample_value("things_total", {"kind": str(MOST_SERIES)}) is None


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
