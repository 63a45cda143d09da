"""Spans: the port that stores, workers and the HTTP edge know. OpenTelemetry itself is behind it, and only loaded
where the standard ``OTEL_*`` variables ask for an export.

What a span says is chosen by name: methods, route templates, statuses and classes of errors. Never a path as it was
asked for, a query, a statement, a message of an exception, or anything else that may hold a secret.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Protocol

from authcenter.telemetry.logs import Logger

Attributes = Mapping[str, str]

_NO_SPAN: AbstractContextManager[None] = nullcontext()
_EXPORTER, _OTLP, _NONE = "OTEL_TRACES_EXPORTER", "otlp", "none"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"


class RequestSpan(Protocol):
    """The span of one HTTP request that this process answers.

    Attributes:
        ids: ``trace_id`` and ``span_id``, for the log.
        sampled: Whether it is exported, so that who knows its trace's id can look at it.
    """

    ids: Mapping[str, str]
    sampled: bool

    def answered(self, status: int, *, request_id: str, rule: str) -> None:
        """Say how; ``rule``: which check refused, or empty."""
        ...


class Tracing(Protocol):
    """Where spans go. A span ends with its block; one that ends by an exception says which class."""

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[None]:
        """A call of something outside: a database, Redis, Consul."""
        ...

    def job(self, name: str, attributes: Attributes) -> AbstractContextManager[None]:
        """One step of background work, which no request caused."""
        ...

    def request(
        self, method: str, route: str, traceparent: Sequence[str], tracestate: Sequence[str], *, trusted: bool
    ) -> AbstractContextManager[RequestSpan]:
        """A request; its parent is what the caller's W3C headers name, where they are well-formed.

        Of a caller who is not ``trusted`` it is only linked: a stranger must not decide what is sampled, nor write into
        the traces of others.
        """
        ...

    async def close(self) -> None:
        """Export what is left, within a time limit."""
        ...


def traced(tracing: Tracing | None, name: str, attributes: Attributes) -> AbstractContextManager[None]:
    """``tracing.span``, or nothing where tracing is off."""
    return _NO_SPAN if tracing is None else tracing.span(name, attributes)


def traced_job(
    tracing: Tracing | None, name: str, attributes: Attributes = MappingProxyType({})
) -> AbstractContextManager[None]:
    """``tracing.job``, or nothing where tracing is off."""
    return _NO_SPAN if tracing is None else tracing.job(name, attributes)


def open_tracing(environ: Mapping[str, str], log: Logger) -> Tracing | None:
    """Tracing as the standard variables want it; None: off, and nothing of OpenTelemetry is loaded.

    An export that is asked for and cannot be had is a line in the log, never a reason not to serve.
    """
    exporter = environ.get(_EXPORTER, "").strip().lower()
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == _NONE:
        return None
    if not exporter and not any(environ.get(name) for name in _ENDPOINTS):
        return None
    protocol = next(filter(None, map(environ.get, _PROTOCOLS)), _SPOKEN)
    if exporter not in {"", _OTLP} or protocol != _SPOKEN:
        log.warning("tracing_off", exporter=exporter or _OTLP, protocol=protocol, spoken=f"{_OTLP} over {_SPOKEN}")
        return None
    try:
        from authcenter.telemetry.otlp import OpenTelemetryTracing  # noqa: PLC0415
    except ImportError:
        log.warning("tracing_off", remedy="pip install 'authcenter[otlp]'")
        return None
    return OpenTelemetryTracing(environ, log)
