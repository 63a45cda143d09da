"""Asking the authorization server about a token (RFC 7662): active, not active, or cannot tell.

For opaque tokens, and for those that want the server's own word at each request. Cannot tell is ``Unavailable`` (503),
never 'not active': a server that is gone must not look like a log-out.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass
from math import ceil
from types import TracebackType
from typing import Any, Self

import aiohttp

from authcenter.core.clock import Clock, SystemClock
from authcenter.core.errors import Unavailable
from authcenter.core.secret import Secret
from authcenter.sdk.back_channel import BackChannel, Reply, ServerUnavailable
from authcenter.sdk.backoff import Backoff

_LONGEST_TOKEN = 16 * 1024
_TEXTS = ("iss", "sub", "client_id", "scope", "username", "token_type", "jti")
_NUMBERS = ("exp", "iat", "nbf")


@dataclass(frozen=True, slots=True)
class ActiveToken:
    """What the server says of a token that is active.

    Attributes:
        claims: Its whole answer.
        expires_at: Unix seconds; None where it does not say.
    """

    claims: Mapping[str, Any]
    subject: str
    client_id: str
    scopes: frozenset[str]
    audience: tuple[str, ...]
    expires_at: float | None


@dataclass(slots=True)
class _Kept:
    """An answer, until then (monotonic clock)."""

    token: ActiveToken
    until: float


class IntrospectionClient:
    """Asks one server. Belongs to one event loop; an ``async with`` closes what it opened."""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str | Secret,
        issuer: str | None = None,
        introspection_endpoint: str | None = None,
        audience: str | None = None,
        cache_seconds: float = 0.0,
        cached: int = 10_000,
        session: aiohttp.ClientSession | None = None,
        timeout_seconds: float = 2.0,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Args:
        issuer: Whose metadata name the endpoint; an ``iss`` in answers must equal it.
        audience: An ``aud`` in answers must name it, or the token is not active *here*. None: not looked at, as is
            right for a client's own refresh tokens.
        cache_seconds: How long 'active' is believed without asking again, never beyond the token's ``exp``: for so
            long a revocation goes unnoticed. 0: not at all. 'Not active' is never kept.
        cached: How many answers are kept.
        session: Whose connections to use; None: its own.

        Raises:
            ValueError: Neither issuer nor endpoint, or plain http.
        """
        self._channel = BackChannel(
            client_id,
            client_secret,
            issuer=issuer,
            endpoint=("introspection_endpoint", introspection_endpoint),
            session=session,
            timeout_seconds=timeout_seconds,
        )
        self._client_id, self._issuer, self._audience = client_id, issuer, audience
        self._cache_seconds, self._cached = cache_seconds, cached
        self._clock = SystemClock() if clock is None else clock
        self._monotonic = monotonic
        self._backoff = Backoff(monotonic, uniform)
        self._failure = ""
        self._trial: asyncio.Task[ActiveToken | None] | None = None
        self._flights: dict[tuple[str, str], asyncio.Task[ActiveToken | None]] = {}
        self._kept: dict[str, _Kept] = {}

    def __repr__(self) -> str:
        return f"IntrospectionClient(client_id={self._client_id!r})"

    async def introspect(self, token: str, *, hint: str = "") -> ActiveToken | None:
        """What the server says of ``token``; None: it is not active. All that ask the same meanwhile share one answer.

        Args:
            hint: ``access_token`` or ``refresh_token`` (RFC 7662 §2.1); no more than a hint.

        Raises:
            Unavailable: Cannot tell: no answer, or none that can be believed.
        """
        if not _is_a_token(token):
            return None
        kept = self._kept.get(token)
        if kept is not None and self._monotonic() < kept.until and not _past(kept.token, self._clock.seconds()):
            return kept.token
        asked = (token, hint)
        flight = self._flights.get(asked)
        if flight is None:
            flight = self._depart(asked)
        # Shielded: who gives up waiting must not take the answer from the others.
        return await asyncio.shield(flight)

    async def close(self) -> None:
        """End what is under way, and close what was opened."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        await self._channel.close()

    def _depart(self, asked: tuple[str, str]) -> "asyncio.Task[ActiveToken | None]":
        wait = self._backoff.wait
        # After a failure one question at a time finds out whether the server is back.
        if self._failure and (wait or self._trial is not None):
            raise ServerUnavailable(self._failure, retry_after=max(1, ceil(wait)))
        # In a context of its own: it belongs to all that ask.
        flight = asyncio.get_running_loop().create_task(self._ask(*asked), context=Context())
        if self._failure:
            self._trial = flight
        self._flights[asked] = flight
        flight.add_done_callback(lambda done: self._landed(asked, done))
        return flight

    def _landed(self, asked: tuple[str, str], flight: "asyncio.Task[ActiveToken | None]") -> None:
        self._flights.pop(asked, None)
        if self._trial is flight:
            self._trial = None
        if not flight.cancelled():
            # Looked at, also where nobody waits any more.
            flight.exception()

    async def _ask(self, token: str, hint: str) -> ActiveToken | None:
        form = {"token": token, **({"token_type_hint": hint} if hint else {})}
        try:
            reply = await self._channel.post(form)
            # 401 and 403 are about this client, not about the token: the next question would fare no better.
            if reply.status in {401, 403, 429} or reply.status >= 500:
                raise _no_answer(reply)
        except ServerUnavailable as failure:
            if not self._backoff.wait:
                self._backoff.failed(failure.retry_after)
            self._failure = failure.hint
            raise
        self._backoff.succeeded()
        self._failure = ""
        if reply.status != 200:
            raise _no_answer(reply)
        found = self._read(reply.document)
        self._keep(token, found)
        return found

    def _read(self, answer: Mapping[str, Any]) -> ActiveToken | None:
        """RFC 7662 §2.2; an answer that is not of this form tells nothing."""
        if not isinstance(answer.get("active"), bool):
            raise ServerUnavailable("the answer does not say whether the token is active")
        if not answer["active"]:
            return None
        texts = {name: answer.get(name, "") for name in _TEXTS}
        numbers = {name: answer.get(name) for name in _NUMBERS}
        audience = _audience(answer.get("aud"))
        if audience is None or not all(isinstance(text, str) for text in texts.values()):
            raise ServerUnavailable("the answer's members are not of the type that RFC 7662 gives them")
        if any(isinstance(one, bool) or not isinstance(one, int | float | None) for one in numbers.values()):
            raise ServerUnavailable("the answer's times are no numbers")
        if self._issuer is not None and texts["iss"] not in {"", self._issuer}:
            raise ServerUnavailable(f"the answer is about a token of {texts['iss']!a:.200}")
        if self._audience is not None and audience and self._audience not in audience:
            return None
        scopes = frozenset(texts["scope"].split())
        found = ActiveToken(answer, texts["sub"], texts["client_id"], scopes, audience, numbers["exp"])
        return None if _past(found, self._clock.seconds()) else found

    def _keep(self, token: str, found: ActiveToken | None) -> None:
        self._kept.pop(token, None)
        if found is None or self._cache_seconds <= 0:
            return
        if len(self._kept) >= self._cached:
            # The oldest goes: dictionaries keep the order of insertion.
            del self._kept[next(iter(self._kept))]
        self._kept[token] = _Kept(found, self._monotonic() + self._cache_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _is_a_token(token: str) -> bool:
    """Whether a server may have issued it (RFC 6749 appendix A.12); what it did not issue is not active."""
    return 0 < len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable()


def _audience(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    return None


def _past(token: ActiveToken, now: float) -> bool:
    return token.expires_at is not None and now >= token.expires_at


def _no_answer(reply: Reply) -> Unavailable:
    hint = f"the introspection endpoint answers {reply.status} {reply.error[:80]}".rstrip()
    return ServerUnavailable(hint, retry_after=max(1, ceil(reply.retry_after)))
