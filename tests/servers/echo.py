"""An API that answers with what it was asked: what a gateway lets through, seen from behind it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_STATUS = "/status/"


class EchoApi:
    """Listens on a free port of 127.0.0.1. A context: started inside, stopped after.

    Its answer is a JSON object of ``method``, ``path``, ``headers`` (pairs, as they came) and ``body``, and of the
    status in the path ``/status/NNN``, else 200.
    """

    def __init__(self) -> None:
        self._server = _EchoServer(("127.0.0.1", 0), _Echo)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _EchoServer(ThreadingHTTPServer):
    daemon_threads = True
    # Callers come at once, and one that is turned away comes back after a second.
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of gateways that drop their connections; a request that went wrong shows at the caller."""


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = {"method": self.command, "path": self.path, "headers": self.headers.items(), "body": sent.decode()}
        body = json.dumps(seen).encode()
        status = int(self.path.removeprefix(_STATUS)) if self.path.startswith(_STATUS) else 200
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def do_OPTIONS(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
