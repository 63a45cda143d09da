"""A service's own access tokens (RFC 6749 §4.4): fetched when needed, kept, renewed before they expire.

While the authorization server is gone, the token at hand is served until it expires.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import dataclass, field
from math import ceil
from types import TracebackType
from typing import Any, Self

import aiohttp

from authcenter.core.errors import Unavailable
from authcenter.core.secret import Secret
from authcenter.sdk.back_channel import BackChannel, Reply, ServerUnavailable
from authcenter.sdk.backoff import Backoff
from authcenter.sdk.scope_check import checked_scopes

_RENEWED_AFTER = (0.70, 0.85)  # of the lifetime; drawn anew for each token, so that a fleet does not ask at once
_SAFETY_SECONDS, _SAFETY_SHARE = 10.0, 0.1
_LIFETIME_UNSAID = 60.0
_LEAST_AGE_DROPPED = 5.0
_MOST_KEPT = 256

_log = logging.getLogger("authcenter.sdk")


class TokenRefused(Exception):
    """The authorization server will not give a token: asking again does not help until somebody changes something.

    Attributes:
        code: The RFC 6749 §5.2 error code, such as ``invalid_client`` or ``invalid_scope``.
        status: Of the answer.
    """

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"the authorization server refuses a token: {code} ({status})")
        self.code, self.status = code, status


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a token is for."""

    scope: str
    resource: str | None


@dataclass(slots=True)
class _Held:
    """A token at hand; instants of the monotonic clock."""

    token: str = field(repr=False)
    fetched_at: float
    renew_at: float
    dies_at: float


@dataclass(slots=True)
class _Line:
    """All that concerns one kind of token."""

    backoff: Backoff
    held: _Held | None = None
    flight: asyncio.Task[str] | None = None
    failure: TokenRefused | Unavailable | None = None


class ClientCredentials:
    """Tokens for one client. Belongs to one event loop; an ``async with`` closes what it opened."""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str | Secret,
        issuer: str | None = None,
        token_endpoint: str | None = None,
        scopes: Iterable[str] = (),
        resource: str | None = None,
        session: aiohttp.ClientSession | None = None,
        timeout_seconds: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Args:
        issuer: Whose metadata name the token endpoint; not needed where that is given.
        scopes: What tokens are for unless a call says otherwise; empty: whatever the server gives.
        resource: The API they are for (RFC 8707), likewise.
        session: Whose connections to use; None: its own.
        timeout_seconds: For each answer of the authorization server.

        Raises:
            ValueError: Neither issuer nor endpoint, plain http, or a scope outside the grammar.
        """
        self._channel = BackChannel(
            client_id,
            client_secret,
            issuer=issuer,
            endpoint=("token_endpoint", token_endpoint),
            session=session,
            timeout_seconds=timeout_seconds,
        )
        self._client_id = client_id
        self._default = _Asked(_written(scopes), resource)
        self._monotonic, self._uniform = monotonic, uniform
        self._lines: dict[_Asked, _Line] = {}

    def __repr__(self) -> str:
        return f"ClientCredentials(client_id={self._client_id!r}, scope={self._default.scope!r})"

    async def token(self, *, scopes: Iterable[str] | None = None, resource: str | None = None) -> str:
        """An access token that is valid for a while yet.

        One that is due for renewal is returned at once, and renewed in the background. Without one, all that ask for
        the same wait for one request. After a failure the server is left alone for a while: calls fail without asking.

        Raises:
            TokenRefused: The server says no.
            Unavailable: It does not answer, or asks to be left alone; ``retry_after`` says for how long.
        """
        asked = self._asked(scopes, resource)
        line = self._line(asked)
        now = self._monotonic()
        held = line.held
        if held is not None and now < held.dies_at:
            if now >= held.renew_at and line.flight is None and not line.backoff.wait:
                self._depart(asked, line)
            return held.token
        if line.flight is None and line.failure is not None and (wait := line.backoff.wait):
            raise _again(line.failure, wait)
        # Shielded: who gives up waiting must not take the token from the others.
        return await asyncio.shield(line.flight or self._depart(asked, line))

    async def headers(self, *, scopes: Iterable[str] | None = None, resource: str | None = None) -> dict[str, str]:
        """``Authorization`` for a request: ``session.get(url, headers=await credentials.headers())``.

        Raises:
            TokenRefused, Unavailable: As of ``token``.
        """
        return {"Authorization": f"Bearer {await self.token(scopes=scopes, resource=resource)}"}

    def drop(self, token: str) -> bool:
        """Forget a token that a resource server has called invalid.

        Returns:
            Whether asking for another makes sense: not where this one is only seconds old, because a resource server
            that refuses whatever it is sent must not make every call a token request.
        """
        for line in self._lines.values():
            held = line.held
            if held is not None and held.token == token:
                if self._monotonic() < held.fetched_at + _LEAST_AGE_DROPPED:
                    return False
                line.held = None
                return True
        return True

    async def close(self) -> None:
        """End what is under way, and close what was opened."""
        flights = [line.flight for line in self._lines.values() if line.flight is not None]
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        await self._channel.close()

    def _asked(self, scopes: Iterable[str] | None, resource: str | None) -> _Asked:
        if scopes is None and resource is None:
            return self._default
        scope = self._default.scope if scopes is None else _written(scopes)
        return _Asked(scope, self._default.resource if resource is None else resource)

    def _line(self, asked: _Asked) -> _Line:
        if (line := self._lines.get(asked)) is None:
            line = self._lines[asked] = _Line(Backoff(self._monotonic, self._uniform))
            idle = [key for key, other in self._lines.items() if other.flight is None and key != asked]
            if len(self._lines) > _MOST_KEPT and idle:
                del self._lines[idle[0]]
        return line

    def _depart(self, asked: _Asked, line: _Line) -> "asyncio.Task[str]":
        line.flight = asyncio.get_running_loop().create_task(self._fetch(asked, line), context=Context())
        line.flight.add_done_callback(lambda flight: _landed(flight, line))
        return line.flight

    async def _fetch(self, asked: _Asked, line: _Line) -> str:
        # The clock is read before the question: the lifetime counts from the answer at the latest.
        asked_at = self._monotonic()
        form = {"grant_type": "client_credentials"}
        if asked.scope:
            form["scope"] = asked.scope
        if asked.resource is not None:
            form["resource"] = asked.resource
        try:
            reply = await self._channel.post(form)
            held = self._read(reply, asked_at)
        except (TokenRefused, Unavailable) as failure:
            line.failure = failure
            line.backoff.failed(failure.retry_after if isinstance(failure, Unavailable) else 0.0)
            if line.held is not None and self._monotonic() < line.held.dies_at:
                left = line.held.dies_at - self._monotonic()
                _log.warning("a token was not renewed (%s); the one at hand is good for %d s", failure, left)
            raise
        line.held, line.failure = held, None
        line.backoff.succeeded()
        return held.token

    def _read(self, reply: Reply, asked_at: float) -> _Held:
        """RFC 6749 §5.1 and §5.2."""
        if reply.status in {400, 401, 403} and reply.error:
            raise TokenRefused(reply.error[:80], reply.status)
        if reply.status != 200:
            hint = f"the token endpoint answers {reply.status}"
            raise ServerUnavailable(hint, retry_after=max(1, ceil(reply.retry_after)))
        token, kind = reply.document.get("access_token"), reply.document.get("token_type")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
            raise ServerUnavailable("the token endpoint's answer holds no access token")
        # RFC 6749 §7.1: a token of a type that is not understood must not be used.
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise ServerUnavailable(f"the token endpoint gives no Bearer token but {kind!a:.40}")
        lifetime = _lifetime(reply.document.get("expires_in"))
        safety = min(_SAFETY_SECONDS, lifetime * _SAFETY_SHARE)
        renew_at = asked_at + lifetime * self._uniform(*_RENEWED_AFTER)
        return _Held(token, self._monotonic(), renew_at, asked_at + lifetime - safety)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _written(scopes: Iterable[str]) -> str:
    return " ".join(sorted(set(checked_scopes(tuple(scopes)))))


def _lifetime(expires_in: Any) -> float:
    if expires_in is None:
        return _LIFETIME_UNSAID
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float) or not 0 < expires_in < 1 << 31:
        raise ServerUnavailable("the token endpoint's expires_in is no number of seconds")
    return float(expires_in)


def _again(failure: TokenRefused | Unavailable, wait: float) -> TokenRefused | Unavailable:
    """The failure as it is told to those who come while the server is left alone; each its own traceback."""
    if isinstance(failure, TokenRefused):
        return TokenRefused(failure.code, failure.status)
    return ServerUnavailable(failure.hint, retry_after=max(1, ceil(wait)))


def _landed(flight: "asyncio.Task[str]", line: _Line) -> None:
    line.flight = None
    if not flight.cancelled():
        # Looked at, also where nobody waited for it: a failed renewal has been logged already.
        flight.exception()
