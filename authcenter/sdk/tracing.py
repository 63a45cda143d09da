"""The SDK in traces. Needs ``opentelemetry-api``; no other module of the SDK does."""

from time import time_ns

from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider, get_current_span

from authcenter.core.errors import Reason
from authcenter.sdk.observer import FetchOutcome, Observer

_NANOSECONDS = 1_000_000_000


class OpenTelemetryObserver(Observer):
    """A refused token is an event of the request's span; a fetch of the keys is a span. Neither says which token."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("authcenter.sdk")

    def access_token_refused(self, reason: Reason) -> None:
        get_current_span().add_event("authcenter.access_token.refused", {"authcenter.reason": reason.value})

    def key_looked_up(self, *, found: bool) -> None:
        """Too frequent for a trace."""

    def keys_fetched(self, outcome: FetchOutcome, seconds: float) -> None:
        ended = time_ns()
        span = self._tracer.start_span(
            "authcenter.jwks.fetch",
            kind=SpanKind.CLIENT,
            attributes={"authcenter.outcome": outcome.value},
            start_time=ended - int(seconds * _NANOSECONDS),
        )
        if outcome is FetchOutcome.FAILED:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)
