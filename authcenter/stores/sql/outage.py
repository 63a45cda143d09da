"""A server that is gone: how an error tells it, and what then happens to whoever waits for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import Context

from sqlalchemy.exc import DBAPIError

from authcenter.core.errors import StoreUnavailable
from authcenter.stores.breaker import CircuitBreaker

OnOutage = Callable[[bool, str], None]
"""Told whether the database is up, when that changes, and why it is not."""

_PATIENCE_SECONDS = 1.0
"""How long a transaction may take until it is asked whether the server still answers at all.

With the time of that question it bounds how long the first caller waits for a server that fell silent.
"""

_NOT_TO_BE_CONNECTED_TO = frozenset({"08001", "08004", "57P03"})


def is_outage(failure: BaseException) -> bool:
    """Whether it says that the server is gone, and not only that one statement or session failed.

    Not to be connected to, and silence, do. A lock that is not free, a full pool, and a session that an operator or a
    proxy ended do not: the next connection will tell.
    """
    if isinstance(failure, DBAPIError):
        return getattr(failure.orig, "sqlstate", None) in _NOT_TO_BE_CONNECTED_TO
    return isinstance(failure, OSError)


class OutageGuard:
    """Refuses at once while the server is gone, and breaks off what waits for one that fell silent."""

    def __init__(self, probe: Callable[[], Awaitable[None]], on_change: OnOutage) -> None:
        """``probe`` asks the server over a connection of its own, and raises where there was no answer."""
        self._probe, self._on_change = probe, on_change
        self._breaker = CircuitBreaker(self._answers, self._tell)
        self._under_way: set[asyncio.Timeout] = set()
        self._asking: asyncio.Task[None] | None = None
        self._hint = ""

    def require_up(self) -> None:
        """Raises ``StoreUnavailable`` while the server is gone."""
        if self._breaker.open:
            raise StoreUnavailable("database: it is gone, and being probed")

    def note(self, failure: BaseException, hint: str) -> None:
        """A transaction has failed; ``hint`` says so in words."""
        if is_outage(failure) and not self._breaker.open:
            self._hint = hint
            self._breaker.trip()
            waiting, self._under_way = self._under_way, set()
            for limit in waiting:
                limit.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[None]:
        """Break off the block with ``TimeoutError`` where the server turns out to be gone meanwhile."""
        async with asyncio.timeout(None) as limit:
            doubt = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._ask)
            self._under_way.add(limit)
            try:
                yield
            finally:
                self._under_way.discard(limit)
                doubt.cancel()

    async def close(self) -> None:
        """End the probes."""
        await self._breaker.close()
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _ask(self) -> None:
        if not self._breaker.open and (self._asking is None or self._asking.done()):
            # In a context of its own: what it logs belongs to no request.
            self._asking = asyncio.get_running_loop().create_task(self._doubt(), context=Context())

    async def _doubt(self) -> None:
        try:
            await self._probe()
        except Exception as failure:  # noqa: BLE001 - what it means is decided by its class
            self.note(failure, f"database: it does not answer: {type(failure).__name__}")

    async def _answers(self) -> None:
        """For the breaker: an error of the server's own is an answer."""
        try:
            await self._probe()
        except Exception as failure:
            if is_outage(failure):
                raise

    def _tell(self, up: bool) -> None:
        self._on_change(up, "" if up else self._hint)
