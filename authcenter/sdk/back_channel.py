"""How a client of the authorization server talks to it: authenticated form posts, limited in size and time.

Redirects are not followed (they would carry the secret elsewhere), and plain http is for loopback alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from types import TracebackType
from typing import Any, Self

import aiohttp

from authcenter.core.errors import Unavailable
from authcenter.core.secret import Secret
from authcenter.jose.strict_json import parse_object
from authcenter.sdk.basic_auth import basic_authorization, protected
from authcenter.sdk.discovery import documents_of

_MAX_ANSWER_BYTES = 256 * 1024


class ServerUnavailable(Unavailable):
    """The authorization server did not answer, or not with an answer that can be used."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered.

    Attributes:
        document: The JSON object; empty where the body is none.
        retry_after: Seconds, 0 where it did not say.
    """

    status: int
    document: Mapping[str, Any]
    retry_after: float

    @property
    def error(self) -> str:
        """The RFC 6749 §5.2 error code, or nothing."""
        code = self.document.get("error")
        return code if isinstance(code, str) else ""


class BackChannel:
    """The connection of one client to one authorization server."""

    def __init__(
        self,
        client_id: str,
        client_secret: str | Secret,
        *,
        issuer: str | None,
        endpoint: tuple[str, str | None],
        session: aiohttp.ClientSession | None,
        timeout_seconds: float,
    ) -> None:
        """Args:
        issuer: Where to read the endpoint, if it is not given.
        endpoint: Its name in the metadata (RFC 8414), and its URL if that is known.
        session: Whose connections to use; None: its own, until ``close``.
        timeout_seconds: For each exchange, from connecting to the last byte.

        Raises:
            ValueError: Neither issuer nor endpoint, or plain http.
        """
        self._name, self._url = endpoint
        if self._url is not None:
            protected(self._url)
        elif issuer is None:
            raise ValueError(f"either issuer or {self._name} is needed")
        else:
            documents_of(issuer)
        self._issuer = issuer or ""
        self._authorization = basic_authorization(client_id, client_secret)
        self._session, self._own = session, session is None
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)

    async def post(self, form: Mapping[str, str]) -> Reply:
        """Post ``form`` to the endpoint.

        Raises:
            ServerUnavailable: No answer, or none of an acceptable size.
        """
        url = self._url or await self._discover(self._issuer)
        headers = {"Authorization": self._authorization.reveal()}
        return await self._exchange("POST", url, headers, form)

    async def close(self) -> None:
        """Close what it opened."""
        if self._own and self._session is not None:
            await self._session.close()
            self._session = None

    async def _discover(self, issuer: str) -> str:
        reply = Reply(0, {}, 0.0)
        for document in documents_of(issuer):
            reply = await self._exchange("GET", document, {}, None)
            if reply.status == 200:
                break
        url = reply.document.get(self._name)
        # RFC 8414 §3.3: another issuer's metadata must not be used.
        if reply.status != 200 or reply.document.get("issuer") != issuer or not isinstance(url, str):
            hint = f"no metadata of {issuer} with {self._name}: {reply.status}"
            raise ServerUnavailable(hint, retry_after=max(1, ceil(reply.retry_after)))
        try:
            self._url = protected(url)
        except ValueError as problem:
            raise ServerUnavailable(str(problem)) from problem
        return self._url

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> Reply:
        try:
            try:
                return await self._once(method, url, headers, form)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as problem:
                if isinstance(problem, aiohttp.ClientConnectorError):
                    raise
                # A kept connection that the server closed just then. Asking twice does no harm at these endpoints.
                return await self._once(method, url, headers, form)
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise ServerUnavailable(f"{self._name}: {type(problem).__name__}") from problem

    async def _once(self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> Reply:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        async with self._session.request(
            method,
            url,
            data=form,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", **headers},
            allow_redirects=False,
            timeout=self._timeout,
            middlewares=(),  # a session that adds tokens must not ask for one in order to get one
        ) as response:
            body = await _bounded(response.content)
            return Reply(response.status, _object(body), _seconds(response.headers.get("Retry-After", "")))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    # Counted after decompression: a small answer may be a large one.
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > _MAX_ANSWER_BYTES:
            raise ServerUnavailable(f"an answer of more than {_MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        # Strictly: `{"active": false, "active": true}` must not depend on who reads it.
        return parse_object(body)
    except ValueError:
        return {}


def _seconds(retry_after: str) -> float:
    """``Retry-After``: seconds or a date (RFC 9110 §10.2.3); nonsense is 0."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        at = parsedate_to_datetime(retry_after).astimezone(UTC)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
