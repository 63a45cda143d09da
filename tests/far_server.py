"""A server somewhere on the network, as hostile as a test wants it, on a loopback address."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FarServer:
    """Answers every path by what the test put there.

    Attributes:
        asked: Method and path of every request, in order.
        released: Set when slow answers may go on.
    """

    port: int = 0
    answers: dict[str, Handler] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def puts(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        """Answer ``path`` so; its URL."""

        async def answer(_: web.Request) -> web.StreamResponse:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(body=body, status=status, headers=named)

        self.answers[path] = answer
        return self.url(path)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path))
        self.requests.append(request)
        self.bodies.append(await request.read())
        handler = self.answers.get(request.path)
        return web.Response(status=404) if handler is None else await handler(request)


@asynccontextmanager
async def far_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[FarServer]:
    """Running, until the block ends; over TLS where it is given a certificate."""
    server = FarServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        server.released.set()
        await runner.cleanup()
