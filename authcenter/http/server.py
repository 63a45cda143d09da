"""The listeners: opened, drained, closed."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from authcenter.http.forms import MAX_BODY_BYTES
from authcenter.http.router import Handler

_SHUTDOWN_SECONDS = 10.0
"""How long requests under way may take once the listener is closed."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A handler on an address. Port 0 takes a free one."""

    handler: Handler
    host: str
    port: int
    tls: ssl.SSLContext | None = None

    async def open(self) -> "OpenListener":
        """Raises ``OSError`` where the address is not to be had."""
        # aiohttp's access log halves the throughput: the frame writes one line a request itself.
        server = web.Server(self.handler, request_factory=_bounded_request, access_log=None, keepalive_timeout=75)
        runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port, ssl_context=self.tls, backlog=1024)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        return OpenListener(runner, site, runner.addresses[0][1])


@dataclass(frozen=True, slots=True)
class OpenListener:
    """A listener that takes requests, on ``port``."""

    runner: web.ServerRunner
    site: web.TCPSite
    port: int

    async def drain(self) -> None:
        """Take no new connection, finish what has begun."""
        await self.site.stop()
        await self.runner.cleanup()


def _bounded_request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: "asyncio.Task[None]"
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY_BYTES)


async def drain_all(listeners: list[OpenListener]) -> None:
    """Drain several at once."""
    await asyncio.gather(*(listener.drain() for listener in listeners))
