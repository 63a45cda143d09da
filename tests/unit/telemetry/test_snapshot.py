"""The metrics of several processes as those of one."""

import math

import pytest
from prometheus_client import Gauge, generate_latest

from authcenter.serving.report import Report, from_line, to_line
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.snapshot import Family, MergedRegistry, Over, counted, merged, snapshot


def taken(metrics: Metrics) -> list[Family]:
    """A snapshot that has gone through the link."""
    report = Report(1, serving=True, ready=True, health={}, memory=0, metrics=snapshot(metrics.registry, metrics.rules))
    return from_line(to_line(report)).metrics


def values(families: list[Family]) -> dict[tuple[str, tuple[str, ...]], float]:
    return {(name, tuple(labels.values())): value for one in families for name, labels, value in one.samples}


@pytest.fixture
def two() -> tuple[Metrics, Metrics]:
    one, other = Metrics(), Metrics()
    for metrics, seconds in ((one, 0.003), (other, 0.003), (other, 0.3)):
        metrics.token_seconds.observe(seconds, "password")
        metrics.logins.count("success")
    other.logins.count("locked")
    one.revocation_lag.set(1.5)
    other.revocation_lag.set(0.5)
    one.dependency_up.labels("database").set(1)
    other.dependency_up.labels("database").set(0)
    return one, other


def test_counters_and_histograms_are_summed(two: tuple[Metrics, Metrics]) -> None:
    told = values(merged(map(taken, two)))
    assert told["authcenter_login_total", ("success",)] == 3
    assert told["authcenter_login_total", ("locked",)] == 1
    assert told["authcenter_token_request_seconds_count", ("password",)] == 3
    assert told["authcenter_token_request_seconds_sum", ("password",)] == pytest.approx(0.306)
    assert told["authcenter_token_request_seconds_bucket", ("password", "0.005")] == 2


def test_gauges_follow_their_rule(two: tuple[Metrics, Metrics]) -> None:
    told = values(merged(map(taken, two)))
    assert told["authcenter_revocation_replica_lag_seconds", ()] == 1.5
    assert told["authcenter_dependency_up", ("database",)] == 0


def test_every_gauge_has_a_rule() -> None:
    metrics = Metrics()
    gauges = {family.name for family in snapshot(metrics.registry, metrics.rules) if family.type == "gauge"}
    assert gauges == metrics.rules.keys()


def test_a_gauge_may_be_summed_and_is_left_out_where_it_is_no_number() -> None:
    one = Metrics()
    Gauge("things", "Things.", registry=one.registry).set(2)
    Gauge("nothing", "Nothing.", registry=one.registry).set(math.nan)
    families = taken(one)
    told = values(merged([families, families]))
    assert told["things", ()] == 4
    assert ("nothing", ()) not in told


def test_who_ends_stays_counted_without_its_gauges(two: tuple[Metrics, Metrics]) -> None:
    one, other = map(taken, two)
    told = values(merged([counted(one), other]))
    assert told["authcenter_login_total", ("success",)] == 3
    assert told["authcenter_revocation_replica_lag_seconds", ()] == 0.5
    assert not any(family.over is not Over.SUM for family in counted(one))


def test_one_snapshot_is_exposed_as_its_registry_is(two: tuple[Metrics, Metrics]) -> None:
    one = two[0]
    assert sorted(generate_latest(MergedRegistry(merged([taken(one)]))).splitlines()) == sorted(
        generate_latest(one.registry).splitlines()
    )
