"""The listeners: opened, drained, closed."""

import asyncio
import ssl
from dataclasses import dataclass

from aiohttp import web

_SHUTDOWN_SECONDS = 10.0
"""How long requests under way may take once the listener is closed."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An application on an address. Port 0 takes a free one."""

    app: web.Application
    host: str
    port: int
    tls: ssl.SSLContext | None = None

    async def open(self) -> "OpenListener":
        """Raises ``OSError`` where the address is not to be had."""
        # aiohttp's access log halves the throughput: the frame writes one line a request itself.
        runner = web.AppRunner(
            self.app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS, handle_signals=False, keepalive_timeout=75
        )
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

    runner: web.AppRunner
    site: web.TCPSite
    port: int

    async def drain(self) -> None:
        """Take no new connection, finish what has begun."""
        await self.site.stop()
        await self.runner.cleanup()


async def drain_all(listeners: list[OpenListener]) -> None:
    """Drain several at once."""
    await asyncio.gather(*(listener.drain() for listener in listeners))
