"""A server of ASGI applications without sockets: it speaks the protocol message by message, and checks its order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Exchange:
    """What an application sent in answer to one request."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None

    @property
    def status(self) -> int:
        return int(self._start["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self._start["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def chunks(self) -> list[bytes]:
        return [message.get("body", b"") for message in self.messages if message["type"].endswith("response.body")]

    @property
    def kinds(self) -> list[str]:
        return [message["type"] for message in self.messages]

    @property
    def _start(self) -> dict[str, Any]:
        starts = [message for message in self.messages if message["type"].endswith("response.start")]
        assert len(starts) == 1, self.kinds
        return starts[0]


async def ask(
    app: Any,
    path: str = "/",
    headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    *,
    method: str = "GET",
    query: str = "",
    raw_path: bytes | None = None,
) -> Exchange:
    """One HTTP request with an empty body."""
    return await _run(app, {"type": "http", "method": method, **_scope(path, headers, query, raw_path)})


async def connect(
    app: Any, path: str = "/", headers: Mapping[str, str] | None = None, *, can_answer: bool = False
) -> Exchange:
    """A WebSocket handshake, and the end of the connection as soon as the application wants something."""
    extensions = {"websocket.http.response": {}} if can_answer else {}
    scope = {"type": "websocket", "subprotocols": [], "extensions": extensions, **_scope(path, headers, "", None)}
    return await _run(app, scope)


def _scope(path: str, headers: Any, query: str, raw_path: bytes | None) -> dict[str, Any]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers or []
    return {
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("api.example", 80),
        "client": ("192.0.2.1", 1234),
        "root_path": "",
        "path": path,
        "raw_path": path.encode() if raw_path is None else raw_path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs],
        "state": {},
    }


async def _run(app: Any, scope: dict[str, Any]) -> Exchange:
    exchange = Exchange()
    kind = scope["type"]
    first = {"type": "http.request", "body": b"", "more_body": False}
    incoming = [first if kind == "http" else {"type": "websocket.connect"}]

    async def receive() -> dict[str, Any]:
        return incoming.pop(0) if incoming else {"type": f"{kind}.disconnect", "code": 1005}

    async def send(message: dict[str, Any]) -> None:
        assert kind == "http" or not incoming, "a WebSocket is answered once its handshake has arrived"
        exchange.messages.append(message)

    try:
        await app(scope, receive, send)
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001 - a server survives whatever an application raises
        exchange.error = error
    return exchange
