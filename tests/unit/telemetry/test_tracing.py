"""When traces are exported, and when nothing of it is even loaded."""

import sys
from typing import Any

import pytest
import structlog
from structlog.testing import CapturingLogger

from authcenter.telemetry.tracing import open_tracing, traced, traced_job

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}

OFF = [
    pytest.param({}, [], id="nothing set"),
    pytest.param({"OTEL_SERVICE_NAME": "auth", "OTEL_TRACES_SAMPLER": "always_on"}, [], id="no export asked for"),
    pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, [], id="an empty endpoint"),
    pytest.param(ENDPOINT | {"OTEL_SDK_DISABLED": "TRUE"}, [], id="the SDK disabled"),
    pytest.param(ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, [], id="exporter none"),
    pytest.param(ENDPOINT | {"OTEL_TRACES_EXPORTER": "zipkin"}, ["tracing_off"], id="another exporter"),
    pytest.param(ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ["tracing_off"], id="another protocol"),
]


@pytest.fixture
def log() -> Any:
    return structlog.wrap_logger(CapturingLogger(), processors=[])


def told(log: Any) -> list[str]:
    return [call.kwargs["event"] for call in log._logger.calls]


@pytest.mark.parametrize(("environ", "lines"), OFF)
def test_off(log: Any, environ: dict[str, str], lines: list[str]) -> None:
    assert open_tracing(environ, log) is None
    assert told(log) == lines


ON = [
    pytest.param(ENDPOINT, id="an endpoint"),
    pytest.param({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9"}, id="an endpoint for traces"),
    pytest.param({"OTEL_TRACES_EXPORTER": "otlp"}, id="the exporter, at its default endpoint"),
    pytest.param(ENDPOINT | {"OTEL_SDK_DISABLED": "false"}, id="not disabled"),
]


@pytest.mark.parametrize("environ", ON)
async def test_on(log: Any, environ: dict[str, str]) -> None:
    tracing = open_tracing(environ, log)
    assert tracing is not None
    await tracing.close()
    assert told(log) == []


def test_without_the_extra_the_service_serves_and_says_what_is_missing(
    log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "authcenter.telemetry.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert open_tracing(ENDPOINT, log) is None
    assert told(log) == ["tracing_off"]


def test_off_a_span_is_nothing() -> None:
    with traced(None, "sql read", {}), traced_job(None, "follow the record") as nothing:
        assert nothing is None
