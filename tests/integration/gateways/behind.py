"""What a caller of a protected API sends and sees, and what the API sees of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from tests.servers.haproxy import HaproxyServer
from tests.servers.nginx import NginxServer

API = "https://shop.example"
POLICY = f"gateways: {{shop: {{audience: '{API}', scopes: [read]}}}}\n"
_HANG_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer; ``api`` is what the API saw, None where the request did not get to it."""

    status: int
    headers: dict[str, str]
    body: str
    api: dict[str, Any] | None

    def at_api(self, name: str) -> list[str]:
        """The values of a header as the API got them."""
        assert self.api is not None, f"{self.status} {self.body}"
        return [value for key, value in self.api["headers"] if key.lower() == name.lower()]


@dataclass(frozen=True, slots=True)
class Front:
    """A gateway, as its callers know it."""

    server: NginxServer | HaproxyServer

    def ask(
        self,
        token: str | None = None,
        path: str = "/orders",
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
        body: str = "",
    ) -> Seen:
        """One request on a connection of its own, its headers sent exactly as given."""
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=_HANG_SECONDS)
        try:
            connection.putrequest(method, path)
            bearer = [] if token is None else [("Authorization", f"Bearer {token}")]
            for name, value in [*bearer, *headers, ("Content-Length", str(len(body)))]:
                connection.putheader(name, value)
            connection.endheaders(body.encode())
            answer = connection.getresponse()
            text = answer.read().decode()
            told = {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()
        members = json.loads(text) if text.startswith("{") else {}
        return Seen(answer.status, told, text, members if "headers" in members else None)

    def status(self, token: str | None = None, path: str = "/orders") -> int:
        return self.ask(token, path).status
