"""A stand-in for an OpenTelemetry collector: takes OTLP over HTTP and keeps what it was sent."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """Listens on a free port of 127.0.0.1. A context: started inside, stopped after.

    Attributes:
        bodies: What was sent, as it came.
        silent: Take requests, and answer none of them until the end.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self.bodies: list[bytes] = []
        self.silent = silent
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def spans(self, name: str = "") -> list[Span]:
        """What has come so far; of one name, or all."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in list(self.bodies)]
        scopes = [scope for request in requests for sent in request.resource_spans for scope in sent.scope_spans]
        return [span for scope in scopes for span in scope.spans if not name or span.name == name]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if collector.silent:
                    collector._over.wait()
                    return
                collector.bodies.append(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def attributes(span: Span) -> dict[str, str | int]:
    """A span's attributes, of which each is a text or a number."""
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
