"""The listeners: opened, drained, closed."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from authcenter.core.errors import ErrorCode
from authcenter.core.ids import new_request_id
from authcenter.http.forms import MAX_BODY_BYTES
from authcenter.http.responses import error
from authcenter.http.router import Handler

_SHUTDOWN_SECONDS = 10.0
"""How long requests under way may take once the listener is closed."""

_WRITING_SECONDS = 2.0
"""How long their answers may take to be written after that."""

_SETTLE_SECONDS = 0.2
"""How long what has connected just before the listener closed has to send its request."""

# aiohttp's access log halves the throughput: the frame writes one line a request itself.
_CONNECTION: Mapping[str, Any] = {"access_log": None, "keepalive_timeout": 75}


class _Connection(web.RequestHandler):
    """aiohttp's, but for what it says of bytes that are no HTTP request.

    It would answer with its own name, and log them with a traceback: there may be a secret in them.
    """

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if not isinstance(exc, HttpProcessingError) or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        request_id = new_request_id()
        self.logger.warning("malformed request %s from %s: %s", request_id, request.remote, type(exc).__name__)
        response = error(ErrorCode.INVALID_REQUEST, "The request is malformed.", status)
        response.headers.update({"Server": "authcenter", "X-Request-Id": request_id})
        response.force_close()
        return response


class _Server(web.Server):
    """Makes a ``_Connection`` of every connection."""

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **_CONNECTION)


class _UnderWay:
    """Counts the requests that ``handler`` is at."""

    def __init__(self, handler: Handler) -> None:
        self._handler, self._count = handler, 0
        self._over: asyncio.Event | None = None

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._count += 1
        try:
            return await self._handler(request)
        finally:
            self._count -= 1
            if self._over is not None and not self._count:
                self._over.set()

    async def over(self, seconds: float) -> None:
        """Wait until there is none, at most ``seconds``."""
        if self._count:
            self._over = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), seconds)


@dataclass(frozen=True, slots=True)
class Listener:
    """A handler on an address. Port 0 takes a free one."""

    handler: Handler
    host: str
    port: int
    tls: ssl.SSLContext | None = None

    async def open(self) -> "OpenListener":
        """Raises ``OSError`` where the address is not to be had."""
        under_way = _UnderWay(self.handler)
        server = _Server(under_way.handle, request_factory=_bounded_request)
        runner = web.ServerRunner(server, shutdown_timeout=_WRITING_SECONDS)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port, ssl_context=self.tls, backlog=1024)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        return OpenListener(runner, site, under_way, runner.addresses[0][1])


@dataclass(frozen=True, slots=True)
class OpenListener:
    """A listener that takes requests, on ``port``."""

    runner: web.ServerRunner
    site: web.TCPSite
    under_way: _UnderWay
    port: int

    async def drain(self) -> None:
        """Take no new connection, finish what has begun."""
        # Closing the listener resets whoever still waits in its queue: the loop takes those in first (its turn after
        # the next). Whoever is connected may not have said yet what for, and gets the time to.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await self.site.stop()
        await asyncio.sleep(_SETTLE_SECONDS)
        # Before the runner is told: from then on it reads no more, and a request whose body is still coming would
        # never be answered.
        await self.under_way.over(_SHUTDOWN_SECONDS)
        await self.runner.cleanup()


def _bounded_request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: "asyncio.Task[None]"
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY_BYTES)


async def drain_all(listeners: list[OpenListener]) -> None:
    """Drain several at once."""
    await asyncio.gather(*(listener.drain() for listener in listeners))
