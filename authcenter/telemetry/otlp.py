"""Spans over OpenTelemetry's SDK, exported by OTLP over HTTP. Imported only where tracing is on."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    Status,
    StatusCode,
    format_span_id,
    format_trace_id,
    get_current_span,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from authcenter.telemetry.logs import Logger
from authcenter.telemetry.tracing import Attributes, RequestSpan, Tracing

_FLUSH_SECONDS = 2.0
_LONGEST_TRACESTATE = 512  # characters that W3C Trace Context §3.3.1.5 asks to pass on at least


class OpenTelemetryTracing(Tracing):
    """The SDK, set up by its own standard variables."""

    def __init__(self, environ: Mapping[str, str], log: Logger) -> None:
        """``environ`` is the process's: the SDK reads endpoint, headers, sampler and limits there by itself."""
        named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        resource = Resource.create({} if named else {SERVICE_NAME: "authcenter"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_Exporter(OTLPSpanExporter(), log)))
        self._tracer = self._provider.get_tracer("authcenter")
        self._propagator = TraceContextTextMapPropagator()
        # It tells of each batch that a dead collector did not take; _Exporter tells of the outage, once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)

    @contextmanager
    def span(self, name: str, attributes: Attributes) -> Iterator[None]:
        with _entered(self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)):
            yield

    @contextmanager
    def job(self, name: str, attributes: Attributes) -> Iterator[None]:
        with _entered(self._tracer.start_span(name, context=Context(), attributes=attributes)):
            yield

    @contextmanager
    def request(
        self, method: str, route: str, traceparent: Sequence[str], tracestate: Sequence[str], *, trusted: bool
    ) -> Iterator[RequestSpan]:
        told = self._told(traceparent, ",".join(tracestate) if trusted else "")
        foreign = get_current_span(told).get_span_context()
        span = self._tracer.start_span(
            f"{method} {route}",
            context=told if trusted else Context(),
            kind=SpanKind.SERVER,
            links=[Link(foreign)] if foreign.is_valid and not trusted else (),
            attributes={"http.request.method": method, "http.route": route},
        )
        with _entered(span):
            yield _RequestSpan(span)

    async def close(self) -> None:
        # In a thread that nobody has to wait for: a collector that does not answer must not keep the process.
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def flush() -> None:
            self._provider.shutdown()
            if not loop.is_closed():
                loop.call_soon_threadsafe(done.set)

        Thread(target=flush, name="tracing-flush", daemon=True).start()
        await asyncio.wait([asyncio.ensure_future(done.wait())], timeout=_FLUSH_SECONDS)

    def _told(self, traceparent: Sequence[str], tracestate: str) -> Context:
        if len(traceparent) != 1:
            return Context()
        carrier = {"traceparent": traceparent[0]}
        if 0 < len(tracestate) <= _LONGEST_TRACESTATE:
            carrier["tracestate"] = tracestate
        return self._propagator.extract(carrier, Context())


class _RequestSpan(RequestSpan):
    def __init__(self, span: Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.ids = {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}
        self.sampled = context.trace_flags.sampled

    def answered(self, status: int, *, request_id: str, rule: str) -> None:
        self._span.set_attribute("http.response.status_code", status)
        self._span.set_attribute("authcenter.request_id", request_id)
        if rule:
            self._span.set_attribute("authcenter.rule", rule)
        if status >= 500:
            self._span.set_status(Status(StatusCode.ERROR))


@contextmanager
def _entered(span: Span) -> Iterator[None]:
    """Current while the block runs. Of an exception only the class is kept: its message may quote anything."""
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except BaseException as failure:
            span.set_attribute("error.type", type(failure).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise


class _Exporter(SpanExporter):
    """Tells once that the collector is gone, and once that it is back. Runs in the SDK's own thread."""

    def __init__(self, exporter: OTLPSpanExporter, log: Logger) -> None:
        self._exporter, self._log, self._up = exporter, log, True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        up = result is SpanExportResult.SUCCESS
        if up is not self._up:
            self._up = up
            if up:
                self._log.info("dependency_up", dependency="otlp")
            else:
                self._log.warning("dependency_down", dependency="otlp", hint="spans are dropped until it is back")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
