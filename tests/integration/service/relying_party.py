"""A client's server: what a browser and the authorization server ask of it, kept in order."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit


class RelyingPartyServer:
    """Takes everything, on the loopback interface.

    Attributes:
        asked: Method, path and parameters of each request: of a form its fields, else of the query.
        enter: Where ``/enter`` sends a browser on to, with which cookies: those of a host are one for all its ports.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.enter: tuple[str, dict[str, str]] = ("", {})
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def got(self, path: str) -> list[dict[str, str]]:
        """The parameters of what came to ``path``."""
        return [parameters for _, asked, parameters in list(self.asked) if asked == path]


@contextmanager
def relying_party() -> Iterator[RelyingPartyServer]:
    """One that runs while the block does."""
    made = RelyingPartyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            made.asked.append(("GET", parts.path, dict(parse_qsl(parts.query))))
            if parts.path == "/enter":
                location, cookies = made.enter
                self.send_response(303)
                self.send_header("Location", location)
                for name, value in cookies.items():
                    self.send_header("Set-Cookie", f"{name}={value}; Path=/")
                self.end_headers()
                return
            body = b'<!doctype html><title>client</title><script src="/script"></script>'
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            values = {name: one for name, (one,) in parse_qs(body.decode(), strict_parsing=True).items()}
            made.asked.append(("POST", urlsplit(self.path).path, values))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
