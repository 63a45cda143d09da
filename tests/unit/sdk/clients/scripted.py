"""An authorization server that answers as it is told, and a clock that stands."""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import unquote_plus

from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = Callable[[web.Request, dict[str, str]], Awaitable[web.StreamResponse]]


HANG_SECONDS = 60.0
"""As the clients' time limit: what a busy machine takes its time for is no failure of the server."""


class Ticks:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


def middle(low: float, high: float) -> float:
    """In place of chance."""
    return (low + high) / 2


@dataclass(frozen=True, slots=True)
class Question:
    """A request that arrived."""

    path: str
    form: dict[str, str]
    client_id: str
    secret: str


class Scripted:
    """Notes every question and answers by ``answer``, which waits while ``gate`` is closed."""

    def __init__(self) -> None:
        self.questions: list[Question] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.answer: Answer = self.token
        self.issued = 0
        self.expires_in: Any = 100
        self.metadata: dict[str, Any] = {}
        app = web.Application()
        app.router.add_get("/.well-known/oauth-authorization-server", self._metadata)
        app.router.add_post("/{name}", self._asked)
        self._server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self._server.make_url("/")).rstrip("/")

    @property
    def token_endpoint(self) -> str:
        return f"{self.url}/token"

    @property
    def introspection_endpoint(self) -> str:
        return f"{self.url}/introspect"

    async def token(self, request: web.Request, form: dict[str, str]) -> web.Response:
        """A token that has not been given before."""
        self.issued += 1
        answer = {"access_token": f"token-{self.issued}", "token_type": "Bearer", "expires_in": self.expires_in}
        return web.json_response({name: value for name, value in answer.items() if value is not None})

    def says(self, document: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """From now on answer this: a text, or what becomes JSON."""

        async def answer(request: web.Request, form: dict[str, str]) -> web.Response:
            if isinstance(document, str):
                return web.Response(text=document, status=status, headers=headers)
            return web.json_response(document, status=status, headers=headers)

        self.answer = answer

    async def _metadata(self, request: web.Request) -> web.Response:
        said = {
            "issuer": self.url,
            "token_endpoint": self.token_endpoint,
            "introspection_endpoint": self.introspection_endpoint,
        }
        return web.json_response(said | self.metadata)

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        client_id, _, secret = (
            b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
        )
        self.questions.append(Question(request.path, form, unquote_plus(client_id), unquote_plus(secret)))
        await self.gate.wait()
        return await self.answer(request, form)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.set()
        await self._server.close()
