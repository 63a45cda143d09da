"""The listeners: opened, drained, closed."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
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

_BACKLOG = 1024
_SECONDS_BETWEEN_LOOKS = 0.02

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
class NoListener:
    """In the place of a listener, open or not, where nobody is served."""

    port: int | None = None

    async def open(self) -> "NoListener":
        return self

    async def drain(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class Listener:
    """A handler on an address. Port 0 takes a free one.

    Attributes:
        inherited: Sockets that another process opened for this one, and that take the place of the address.
        leave_seconds: How long open connections may take, when draining, to ask once more and be told to leave.
    """

    handler: Handler
    host: str
    port: int
    tls: ssl.SSLContext | None = None
    inherited: Sequence[socket.socket] = ()
    leave_seconds: float = 0.0

    async def open(self) -> "OpenListener":
        """Raises ``OSError`` where the address is not to be had."""
        under_way = _UnderWay(self.handler)
        server = _Server(under_way.handle, request_factory=_bounded_request)
        runner = web.ServerRunner(server, shutdown_timeout=_WRITING_SECONDS)
        await runner.setup()
        try:
            for site in self._sites(runner):
                await site.start()
        except OSError:
            await runner.cleanup()
            raise
        return OpenListener(runner, under_way, self.leave_seconds, runner.addresses[0][1])

    def _sites(self, runner: web.ServerRunner) -> Iterator[web.BaseSite]:
        for inherited in self.inherited:
            yield web.SockSite(runner, inherited, ssl_context=self.tls, backlog=_BACKLOG)
        if not self.inherited:
            yield web.TCPSite(runner, self.host, self.port, ssl_context=self.tls, backlog=_BACKLOG)


async def bound_sockets(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on an address, one for each of a name's addresses, for other processes to inherit.

    Raises ``OSError`` where the address is not to be had.
    """
    opened = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port, start_serving=False)
    sockets = [socket.socket(fileno=os.dup(one.fileno())) for one in opened.sockets]
    opened.close()
    for one in sockets:
        one.setblocking(False)
        one.listen(_BACKLOG)
    return sockets


@dataclass(frozen=True, slots=True)
class OpenListener:
    """A listener that takes requests, on ``port``."""

    runner: web.ServerRunner
    under_way: _UnderWay
    leave_seconds: float
    port: int

    async def drain(self) -> None:
        """Take no new connection, finish what has begun."""
        # Closing the listener resets whoever still waits in its queue: the loop takes those in first (its turn after
        # the next). Whoever is connected may not have said yet what for, and gets the time to.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for site in self.runner.sites:
            await site.stop()
        await asyncio.sleep(_SETTLE_SECONDS)
        await self._left()
        # Before the runner is told: from then on it reads no more, and a request whose body is still coming would
        # never be answered.
        await self.under_way.over(_SHUTDOWN_SECONDS)
        await self.runner.cleanup()

    async def _left(self) -> None:
        """Wait until nobody is connected any more, at most ``leave_seconds``.

        An idle connection that is closed may have a request on its way; one that asks is told to leave by the answer.
        """
        for _ in range(round(self.leave_seconds / _SECONDS_BETWEEN_LOOKS)):
            if self.runner.server is None or not self.runner.server.connections:
                return
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


def _bounded_request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: "asyncio.Task[None]"
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY_BYTES)
