"""Traces, as a collector receives them (W3C Trace Context, OTLP over HTTP)."""

import json
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
import requests
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service, log_line, policy, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.collector import Collector, attributes
from tests.servers.ports import free_port

pytestmark = pytest.mark.long

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{CALLER}-01"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def traced(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    trusting = {"AUTHCENTER_TRUSTED_PROXIES": "127.0.0.1/32"}
    yield from serving(process(tmp_path_factory.mktemp("traced"), collector.url, **trusting))


@pytest.fixture(scope="module")
def client(traced: Service) -> Credentials:
    traced.operator.user("traced")
    return traced.operator.client("traced", "client_credentials", "password", "refresh_token")


def process(directory: Path, endpoint: str, **settings: str) -> AuthcenterProcess:
    exported = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    return AuthcenterProcess(directory, settings=exported | settings)


def span_of(collector: Collector, request_id: str) -> Span:
    found: list[Span] = []

    def came() -> bool:
        found[:] = [span for span in collector.spans() if attributes(span).get("authcenter.request_id") == request_id]
        return bool(found)

    until(came, f"the span of request {request_id}")
    return found[0]


def sign_in(service: Service, client: Credentials, headers: Mapping[str, str] | None = None) -> str:
    """A request that reads and writes the record; its id."""
    form = {"grant_type": "password", "username": "traced", "password": PASSWORD, **client.form()}
    answer = service.api.post("/oauth/token", form, headers=headers)
    assert answer.status_code == 200
    return answer.headers["X-Request-Id"]


def test_a_request_continues_its_callers_trace_down_to_the_database(
    traced: Service, client: Credentials, collector: Collector
) -> None:
    request_id = sign_in(traced, client, {"traceparent": PARENT, "tracestate": "vendor=1"})
    span = span_of(collector, request_id)
    assert (span.name, span.kind) == ("POST /oauth/token", Span.SPAN_KIND_SERVER)
    assert (span.trace_id.hex(), span.parent_span_id.hex(), span.trace_state) == (TRACE, CALLER, "vendor=1")
    told = attributes(span)
    assert (told["http.request.method"], told["http.route"], told["http.response.status_code"]) == (
        "POST", "/oauth/token", 200,
    )  # fmt: skip
    line = log_line(traced, request_id)
    assert (line["trace_id"], line["span_id"]) == (TRACE, span.span_id.hex())
    below = [one for one in collector.spans() if one.parent_span_id == span.span_id]
    assert {one.name for one in below} == {"sql read", "sql write"}
    assert {one.trace_id.hex() for one in below} == {TRACE}
    assert {attributes(one)["db.system.name"] for one in below} == {"sqlite"}


def test_every_log_line_of_a_request_names_it_and_its_trace(
    traced: Service, client: Credentials, collector: Collector
) -> None:
    request_id = sign_in(traced, client, {"traceparent": PARENT})
    log_line(traced, request_id)
    lines = [json.loads(line) for line in traced.process.log.read_text().splitlines() if request_id in line]
    assert {line["event"] for line in lines} == {"request", "password_grant_used"}
    assert {line["trace_id"] for line in lines} == {TRACE}
    assert {line["span_id"] for line in lines} == {span_of(collector, request_id).span_id.hex()}


def test_the_time_of_a_request_names_its_trace(traced: Service, client: Credentials) -> None:
    sign_in(traced, client, {"traceparent": PARENT})
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    text = requests.get(f"{traced.process.ops_url}/metrics", headers=accept, timeout=30).text
    named = {line.partition("{")[0] for line in text.splitlines() if f'# {{trace_id="{TRACE}"}}' in line}
    assert {"authcenter_token_request_seconds_bucket", "authcenter_http_request_seconds_bucket"} <= named


def reloaded(span: Span) -> tuple[object, object]:
    told = attributes(span)
    return told["authcenter.source"], told["authcenter.outcome"]


MALFORMED = [
    pytest.param("", id="empty"),
    pytest.param("chosen-by-a-stranger", id="no grammar"),
    pytest.param(f"00-{'0' * 32}-{CALLER}-01", id="trace of zeros"),
    pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="parent of zeros"),
    pytest.param(f"ff-{TRACE}-{CALLER}-01", id="version ff"),
    pytest.param(f"00-{TRACE[:-1]}-{CALLER}-01", id="too short"),
    pytest.param(f"00-{TRACE}-{CALLER}-01-more", id="version 00 with more"),
    pytest.param(f"00-{TRACE.upper()}-{CALLER}-01", id="capitals"),
    pytest.param(f"{PARENT}, {PARENT}", id="two in one"),
]


@pytest.mark.parametrize("traceparent", MALFORMED)
def test_a_malformed_parent_is_ignored(
    traced: Service, client: Credentials, collector: Collector, traceparent: str
) -> None:
    span = span_of(collector, sign_in(traced, client, {"traceparent": traceparent, "tracestate": "vendor=1"}))
    assert (span.parent_span_id, span.trace_state) == (b"", "")
    assert span.trace_id.hex() != TRACE


def test_requests_on_one_connection_have_traces_of_their_own(
    traced: Service, client: Credentials, collector: Collector
) -> None:
    sign_in(traced, client, {"traceparent": PARENT})
    alone = span_of(collector, sign_in(traced, client))
    assert (alone.parent_span_id, alone.trace_id.hex() != TRACE) == (b"", True)


def test_a_refusal_names_its_rule(traced: Service, collector: Collector) -> None:
    answer = traced.api.post("/oauth/token", {"grant_type": "client_credentials", "client_id": "nobody"})
    told = attributes(span_of(collector, answer.headers["X-Request-Id"]))
    assert (told["http.response.status_code"], bool(told["authcenter.rule"])) == (401, True)


def test_background_work_has_traces_of_its_own(traced: Service, client: Credentials, collector: Collector) -> None:
    sign_in(traced, client, {"traceparent": PARENT})
    reload = "reload the policy"
    with policy(traced, "tokens: {access_ttl: 90}"):
        until(lambda: ("file", "accepted") in map(reloaded, collector.spans(reload)), "a span of the new policy")
    until(lambda: bool(collector.spans("follow the record")), "a span of the follower")
    jobs = collector.spans("follow the record") + collector.spans(reload)
    assert {(one.parent_span_id, one.trace_id.hex() == TRACE) for one in jobs} == {(b"", False)}


def test_no_span_holds_a_secret_or_anything_that_strangers_choose(
    traced: Service, client: Credentials, collector: Collector
) -> None:
    api = traced.api
    tokens = api.issue(client, "password", username="traced", password=PASSWORD)
    tokens = api.issue(client, "refresh_token", refresh_token=tokens["refresh_token"])
    api.introspect(client, tokens["access_token"])
    api.introspect(client, tokens["refresh_token"])
    api.revoke(client, tokens["refresh_token"])
    api.revoke(client, tokens["access_token"])
    api.ask(Credentials(client.client_id, "a-secret-that-is-wrong"))
    api.ask(client, "password", username="traced", password="a-password-that-is-wrong")
    api.ask(client, "chosen-by-a-stranger", scope="chosen-by-a-stranger")
    api.get("/chosen-by-a-stranger?chosen-by-a-stranger=1")
    api.session.request("STRANGER", f"{api.url}/oauth/token?code=chosen-by-a-stranger", timeout=30)
    last = api.get("/.well-known/jwks.json?token=chosen-by-a-stranger", headers={"User-Agent": "chosen-by-a-stranger"})
    span_of(collector, last.headers["X-Request-Id"])
    exported = b"".join(collector.bodies)
    secrets = {*api.secrets, PASSWORD, *(tokens[name] for name in ("access_token", "refresh_token")), "stranger"}
    secrets |= {traced.process.environment[f"AUTHCENTER_{name}"] for name in ("SECRET_KEY", "KEY_PASSPHRASE")}
    assert {secret for secret in secrets if secret.encode().lower() in exported.lower()} == set()
    assert b"POST /oauth/introspect" in exported


def test_what_is_left_is_exported_at_the_end_and_a_strangers_trace_is_only_linked(tmp_path: Path) -> None:
    strange = {"traceparent": PARENT, "tracestate": "vendor=chosen-by-a-stranger"}
    with Collector() as collector:
        for service in serving(process(tmp_path / "late", collector.url, OTEL_BSP_SCHEDULE_DELAY="60000")):
            last = service.api.get("/.well-known/jwks.json", headers=strange).headers["X-Request-Id"]
            assert not collector.bodies
        span = span_of(collector, last)
    assert (span.parent_span_id, span.trace_state, span.trace_id.hex() == TRACE) == (b"", "", False)
    assert [(link.trace_id.hex(), link.span_id.hex(), link.trace_state) for link in span.links] == [(TRACE, CALLER, "")]


@pytest.mark.parametrize("silent", [False, True], ids=["dead", "silent"])
def test_a_collector_that_is_gone_harms_nothing(tmp_path: Path, silent: bool) -> None:
    with Collector(silent=True) as collector:
        endpoint = collector.url if silent else f"http://127.0.0.1:{free_port()}"
        few = {"OTEL_BSP_MAX_QUEUE_SIZE": "16", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "8"}
        gone = process(tmp_path / "gone", endpoint, OTEL_EXPORTER_OTLP_TIMEOUT="1", **few)
        for service in serving(gone):
            for _ in range(200):
                assert service.api.get("/.well-known/jwks.json").status_code == 200
            until(partial(told_of_otlp, service), "a line about the collector")
            for _ in range(200):
                assert service.api.get("/.well-known/jwks.json").status_code == 200
        assert told_of_otlp(service) == ["dependency_down"]
        said = [line for line in map(json.loads, gone.log.read_text().splitlines()) if line["event"] != "request"]
        assert not any("opentelemetry" in str(line.get("logger", "")) for line in said)


def told_of_otlp(service: Service) -> list[str]:
    lines = service.process.log.read_text().splitlines()
    return [json.loads(line)["event"] for line in lines if '"dependency":"otlp"' in line]


OFF = [
    pytest.param({}, id="nothing set"),
    pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}, id="disabled"),
    pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"}, id="none"),
]
_TELL_WHAT_IS_LOADED = """
import atexit, sys
from authcenter.cli.root import main
atexit.register(lambda: print("LOADED", sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr))
main()
"""


@pytest.mark.parametrize("settings", OFF)
def test_off_nothing_of_it_is_loaded(tmp_path: Path, settings: dict[str, str]) -> None:
    off = AuthcenterProcess(tmp_path / "off", settings=settings)
    off.child.command = [sys.executable, "-c", _TELL_WHAT_IS_LOADED, "serve"]
    for service in serving(off):
        request_id = service.api.get("/.well-known/jwks.json", headers={"traceparent": PARENT}).headers["X-Request-Id"]
        assert "trace_id" not in log_line(service, request_id)
    loaded = off.log.read_text().partition("LOADED ")[2]
    assert "'authcenter'" in loaded
    assert "'opentelemetry'" not in loaded
    assert "'google'" not in loaded
