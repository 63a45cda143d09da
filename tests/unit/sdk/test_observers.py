"""What metrics and traces say, and that they name no token."""

from collections.abc import Sequence
from math import isnan

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode
from prometheus_client import CollectorRegistry, generate_latest

from authcenter.core.errors import Reason
from authcenter.sdk.metrics import PrometheusObserver
from authcenter.sdk.observer import FetchOutcome, Observers, Unobserved
from authcenter.sdk.tracing import OpenTelemetryObserver
from tests.unit.sdk.watching import Watching


class Kept(SpanExporter):
    """Spans in memory."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS


def test_metrics_have_the_names_of_the_contract() -> None:
    registry = CollectorRegistry()
    observer = PrometheusObserver(registry)
    assert isnan(registry.get_sample_value("authcenter_jwks_cache_hit_ratio") or 0.0)
    observer.access_token_refused(Reason.AUDIENCE)
    for found in (True, True, True, False):
        observer.key_looked_up(found=found)
    observer.keys_fetched(FetchOutcome.FAILED, 0.1)
    failures, requests = "authcenter_access_token_validation_failure_total", "authcenter_jwks_cache_requests_total"
    assert registry.get_sample_value(failures, {"reason": "aud"}) == 1
    assert [registry.get_sample_value(failures, {"reason": reason}) for reason in ("sig", "binding")] == [0, 0]
    expected = {"hit": 3, "miss": 1, "fetched": 0, "unchanged": 0, "failed": 1}
    assert {name: registry.get_sample_value(requests, {"outcome": name}) for name in expected} == expected
    assert registry.get_sample_value("authcenter_jwks_cache_hit_ratio") == 0.75
    assert b"id_token" not in generate_latest(registry)


def test_a_refusal_is_an_event_of_the_requests_span_and_a_fetch_a_span_of_its_own() -> None:
    kept, provider = Kept(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    observer = OpenTelemetryObserver(provider)
    with provider.get_tracer("test").start_as_current_span("GET /orders"):
        observer.access_token_refused(Reason.EXPIRED)
        observer.key_looked_up(found=False)
    observer.keys_fetched(FetchOutcome.UNCHANGED, 0.25)
    observer.keys_fetched(FetchOutcome.FAILED, 0.25)
    request, renewed, failed = kept.spans
    (event,) = request.events
    assert (event.name, dict(event.attributes or {})) == (
        "authcenter.access_token.refused",
        {"authcenter.reason": "exp"},
    )
    assert dict(renewed.attributes or {}) == {"authcenter.outcome": "unchanged"}
    assert (renewed.end_time or 0) - (renewed.start_time or 0) == 250_000_000
    assert [span.status.status_code for span in (renewed, failed)] == [StatusCode.UNSET, StatusCode.ERROR]


def test_without_a_request_a_refusal_is_nobodys_event() -> None:
    OpenTelemetryObserver(TracerProvider(shutdown_on_exit=False)).access_token_refused(Reason.EXPIRED)


@pytest.mark.parametrize("reason", Reason)
def test_several_observers_hear_the_same(reason: Reason) -> None:
    one, other = Watching(), Watching()
    observers = Observers([one, Unobserved(), other])
    observers.access_token_refused(reason)
    observers.key_looked_up(found=True)
    observers.keys_fetched(FetchOutcome.FETCHED, 0.0)
    assert one == other == Watching([reason], [True], [FetchOutcome.FETCHED])
