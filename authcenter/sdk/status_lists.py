"""The status lists that tokens name (draft-ietf-oauth-status-list): fetched when needed, kept for as long as they say.

Three-valued: a token is refused, it is not, or nobody can tell. A list that is due and cannot be had goes on answering
until its own ``exp``; beyond that, and where there never was one, the answer is that nobody can tell.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from authcenter.core.clock import Clock, SystemClock
from authcenter.core.errors import RevocationsUnknown, Unavailable
from authcenter.core.token import AccessToken
from authcenter.sdk.backoff import Backoff
from authcenter.sdk.discovery import is_safe_place
from authcenter.sdk.fetching import Fetch, FetchFailed
from authcenter.sdk.signed_document import DocumentRejected, IssuerKeys
from authcenter.sdk.status_list import StatusList, read_status_list, status_place

_MOST_KEPT = 256


@dataclass(slots=True)
class _Line:
    """All that concerns one list. ``due_at``: on the monotonic clock."""

    backoff: Backoff
    held: StatusList | None = None
    etag: str = ""
    due_at: float = -math.inf
    flight: "asyncio.Task[None] | None" = None
    failure: str = ""


class StatusLists:
    """One issuer's lists. Belongs to one event loop."""

    def __init__(
        self,
        issuer: str,
        keys: IssuerKeys,
        fetch: Fetch,
        *,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Args:
        keys: The issuer's, that its lists are verified with.
        fetch: Asks for ``application/statuslist+jwt``.
        """
        self._issuer, self._keys, self._fetch = issuer, keys, fetch
        self._clock = SystemClock() if clock is None else clock
        self._monotonic, self._uniform = monotonic, uniform
        self._lines: dict[str, _Line] = {}

    async def refusal(self, token: AccessToken) -> str | None:
        """Why ``token`` is refused, for operators; None where its list says that it is valid, or it names none.

        All that need the same list meanwhile share one fetch.

        Raises:
            TokenRejected: Its ``status`` is of no form that is understood.
            RevocationsUnknown: Its list cannot be had, or does not have its place.
        """
        place = status_place(token)
        if place is None:
            return None
        line = self._lines.get(place.uri)
        if line is None or line.held is None or self._monotonic() >= line.due_at:
            line = await self._renewed(place.uri)
        held = line.held
        if held is None or self._clock.seconds() >= held.expires_at:
            wait = max(1, math.ceil(line.backoff.wait))
            raise RevocationsUnknown(f"no status list of {place.uri:.200}: {line.failure}", retry_after=wait)
        try:
            status = held.status(place.index)
        except IndexError as problem:
            raise RevocationsUnknown(f"the status list {place.uri:.200} has no place {place.index}") from problem
        return f"token {token.jti} has the status {status}" if status else None

    async def close(self) -> None:
        """End what is under way."""
        flights = [line.flight for line in self._lines.values() if line.flight is not None]
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _renewed(self, uri: str) -> _Line:
        line = self._line(uri)
        if line.flight is None and not line.backoff.wait:
            # In a context of its own: it belongs to all that ask.
            line.flight = asyncio.get_running_loop().create_task(self._renew(uri, line), context=Context())
        usable = line.held is not None and self._clock.seconds() < line.held.expires_at
        # Once asking has failed, who has a list does not wait for a server that may not answer again.
        if line.flight is not None and not (usable and line.failure):
            # Not awaited itself: who gives up waiting must not end what others wait for.
            await asyncio.wait([line.flight])
        return line

    def _line(self, uri: str) -> _Line:
        if (line := self._lines.get(uri)) is None:
            line = self._lines[uri] = _Line(Backoff(self._monotonic, self._uniform))
            if len(self._lines) > _MOST_KEPT:
                # The oldest that nobody waits for: lists are of one hour each.
                idle = (key for key, other in self._lines.items() if other.flight is None and key != uri)
                self._lines.pop(next(idle, ""), None)
        return line

    async def _renew(self, uri: str, line: _Line) -> None:
        try:
            await self._fetch_into(uri, line)
        except (FetchFailed, DocumentRejected, Unavailable, ValueError) as failure:
            line.failure = f"{failure!s:.200}"
            line.backoff.failed(failure.retry_after if isinstance(failure, Unavailable) else 0.0)
        else:
            line.failure = ""
            line.backoff.succeeded()
        finally:
            line.flight = None

    async def _fetch_into(self, uri: str, line: _Line) -> None:
        if not is_safe_place(uri, self._issuer):
            raise FetchFailed("not a place that is safe to ask")
        asked_at = self._monotonic()
        answer = await self._fetch.get(uri, line.etag)
        if answer.status == 304 and line.held is not None:
            line.due_at = asked_at + line.held.ttl
            return
        if answer.status != 200:
            raise FetchFailed(f"answered {answer.status}")
        found = await read_status_list(answer.body, uri, self._issuer, self._keys, self._clock.seconds())
        # An instance that is behind, or somebody who repeats what was true: what is known stays known.
        if line.held is None or found.issued_at >= line.held.issued_at:
            line.held, line.etag = found, answer.etag
        line.due_at = asked_at + found.ttl
