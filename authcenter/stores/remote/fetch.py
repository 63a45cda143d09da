"""Outbound requests to URLs that strangers choose, without becoming their way into private networks.

The address is looked at as the socket is made: a look at the name, or at what a resolver said earlier, would let
literal addresses and names that change their mind through.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import aiohttp
from aiohttp import hdrs
from yarl import URL

from authcenter.core.secret import Secret
from authcenter.stores.ports.remote import Asking, FetchFailed, FetchRefused, RemoteAnswer
from authcenter.stores.remote.addresses import may_connect

MOST_BYTES = 256 * 1024
SECONDS = 5.0
MOST_AT_ONCE = 16
_LONGEST_URL = 2_048
_HEADERS = {
    hdrs.USER_AGENT: "authcenter",
    hdrs.ACCEPT: "application/json, application/jwk-set+json, */*;q=0.1",
    # What is compressed can be a thousand times the size it arrives with.
    hdrs.ACCEPT_ENCODING: "identity",
}
_NO_HEADERS: Mapping[str, str] = {}

Networks = Sequence[IPv4Network | IPv6Network]


class GuardedFetch(Asking):
    """Every outbound request of the server that a stranger's text caused.

    https to public addresses; to networks that the policy allows, http too. No redirect is followed, no proxy of the
    environment used, no cookie kept, nothing decompressed. At most 16 requests are under way at once; who waits longer
    than 5 s for a turn and an answer goes without. Certificates are checked against the system's authorities
    (``SSL_CERT_FILE`` names others).
    """

    def __init__(
        self,
        allowed: Callable[[], Networks],
        *,
        seconds: float = SECONDS,
        trust: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """``allowed``: private networks that may be reached, asked at every request."""
        self._allowed, self._seconds, self._trust = allowed, seconds, trust or _system_trust
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def get(self, url: str) -> bytes:
        async with self._asked(hdrs.METH_GET, url) as answer:
            if answer.status != 200:
                raise FetchFailed(f"{url!a:.300} answered {answer.status}")
            return await _body(url, answer)

    async def post(self, url: str, form: Mapping[str, str]) -> int:
        async with self._asked(hdrs.METH_POST, url, dict(form)) as answer:
            return answer.status

    async def ask(
        self, url: str, *, form: Mapping[str, str] | None = None, authorization: Secret | None = None
    ) -> RemoteAnswer:
        method, data = (hdrs.METH_GET, None) if form is None else (hdrs.METH_POST, dict(form))
        headers: dict[str, str] = {hdrs.ACCEPT: "application/json"}
        if authorization is not None:
            headers[hdrs.AUTHORIZATION] = authorization.reveal()
        async with self._asked(method, url, data, headers) as answer:
            return RemoteAnswer(answer.status, await _body(url, answer))

    @asynccontextmanager
    async def _asked(
        self, method: str, url: str, form: dict[str, str] | None = None, headers: Mapping[str, str] = _NO_HEADERS
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        place = _read(url)
        guard = _Guard(self._allowed(), public=place.scheme == "https")
        try:
            async with asyncio.timeout(self._seconds), self._turns:
                connector = aiohttp.TCPConnector(
                    socket_factory=guard, force_close=True, use_dns_cache=False, ssl=self._trust()
                )
                async with (
                    aiohttp.ClientSession(
                        connector=connector,
                        cookie_jar=aiohttp.DummyCookieJar(),
                        timeout=aiohttp.ClientTimeout(total=None),
                        headers=_HEADERS,
                        auto_decompress=False,
                        trust_env=False,
                    ) as session,
                    session.request(method, place, data=form, headers=headers, allow_redirects=False) as answer,
                ):
                    yield answer
        except TimeoutError as problem:
            raise FetchFailed(f"{url!a:.300} did not answer within {self._seconds:g} s") from problem
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            if guard.refused:
                hint = f"{url!a:.300} leads to {', '.join(guard.refused)}, which fetch.allow_private does not list"
                raise FetchRefused(hint) from problem
            raise FetchFailed(f"{url!a:.300}: {type(problem).__name__}") from problem


class _Guard:
    """Makes the sockets of one request, or refuses to."""

    def __init__(self, allowed: Networks, *, public: bool) -> None:
        self._allowed, self._public = allowed, public
        self.refused: list[str] = []

    def __call__(self, info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not may_connect(str(address[0]), self._allowed, public=self._public):
            self.refused.append(str(address[0]))
            raise OSError("the address is off limits")
        return socket.socket(family, kind, protocol)


async def _body(url: str, answer: aiohttp.ClientResponse) -> bytes:
    if answer.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise FetchFailed(f"{url!a:.300} answered compressed, which was not asked for")
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise FetchFailed(f"{url!a:.300} answered with more than {MOST_BYTES} bytes")
    return bytes(body)


def _read(url: str) -> URL:
    try:
        place = URL(url)
    except ValueError as problem:
        raise FetchRefused(f"{url!a:.300} is not a URL") from problem
    if len(url) > _LONGEST_URL or place.scheme not in {"http", "https"} or not place.host:
        raise FetchRefused(f"{url!a:.300} is not an http or https URL of at most {_LONGEST_URL} characters")
    if place.user is not None or place.password is not None:
        raise FetchRefused(f"{url!a:.300} holds credentials")
    return place


@cache
def _system_trust() -> ssl.SSLContext:
    """Read once: reading the system's authorities takes a twentieth of a second."""
    return ssl.create_default_context()
