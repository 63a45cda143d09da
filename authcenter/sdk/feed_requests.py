"""Requests to the revocation feed: the snapshot, a delta (long poll), a stream of deltas."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import aiohttp

from authcenter.core.base64url import decode
from authcenter.core.secret import Secret
from authcenter.sdk.event_stream import read_events
from authcenter.sdk.feed_document import CONTENT_TYPE, EVENT_STREAM, TICK_SECONDS
from authcenter.sdk.feed_reading import FeedRejected

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 15.0
_WAIT_SECONDS = 20
_LONGEST_JWS = 16 * 1024
SILENT_SECONDS = 5 * TICK_SECONDS
"""A stream that has said nothing for so long is dead, or held up by a proxy."""

Received = tuple[str, bytes]
"""A document: its JWS, and its entries. Nothing has been verified."""


class FeedRefused(Exception):
    """The server answered, but not with a document.

    Attributes:
        status: Of its answer.
        retry_after: Seconds after which it wants to be asked again; 0 where it does not say.
    """

    def __init__(self, status: int, retry_after: float = 0.0) -> None:
        super().__init__(f"the feed answered {status}")
        self.status, self.retry_after = status, retry_after


class NotAStream(Exception):
    """The answer is no event stream: something between here and there does not let one pass."""


@dataclass(frozen=True, slots=True)
class FeedRequests:
    """Asks as one client.

    Attributes:
        most_bytes: Longer documents are not read to their end.
    """

    session: aiohttp.ClientSession
    url: str
    authorization: Secret
    most_bytes: int

    async def snapshot(self) -> Received:
        """Raises ``FeedRefused``, ``FeedRejected``, and what aiohttp raises."""
        return await self._document({}, _READ_SECONDS)

    async def delta(self, cursor: str) -> Received:
        """What comes after ``cursor``; waits for something to come. Raises the same."""
        return await self._document({"after": cursor, "wait": str(_WAIT_SECONDS)}, _WAIT_SECONDS + _READ_SECONDS)

    async def events(self, cursor: str) -> AsyncGenerator[Received, None]:
        """What comes after ``cursor``, for as long as the server goes on.

        Raises ``NotAStream``, and the same; ``TimeoutError`` where it falls silent.
        """
        async with self._get({"after": cursor}, EVENT_STREAM, SILENT_SECONDS) as answer:
            _check(answer)
            if answer.content_type != EVENT_STREAM:
                raise NotAStream(answer.content_type)
            async for event in read_events(answer.content.iter_any(), self.most_bytes):
                if len(event.data) != 2:
                    raise FeedRejected(f"an event of {len(event.data)} lines")
                signed, packed = event.data
                try:
                    yield signed, decode(packed)
                except ValueError as problem:
                    raise FeedRejected(f"its entries: {problem}") from problem

    async def _document(self, query: dict[str, str], patience: float) -> Received:
        body = bytearray()
        async with self._get(query, CONTENT_TYPE, patience) as answer:
            _check(answer)
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > self.most_bytes:
                    raise FeedRejected(f"over {self.most_bytes} bytes")
        end = body.find(b"\n", 0, _LONGEST_JWS + 1)
        if end < 0 or not body[:end].isascii():
            raise FeedRejected("not a document")
        signed = body[:end].decode()
        del body[: end + 1]
        return signed, bytes(body)

    def _get(
        self, query: dict[str, str], accept: str, patience: float
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = {"Accept": accept, "Authorization": self.authorization.reveal()}
        # Between two reads: a snapshot may be long, and a stream has no end.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=patience)
        # Redirects are not followed: they would take the secret along.
        return self.session.get(self.url, params=query, headers=headers, timeout=timeout, allow_redirects=False)


def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status != 200:
        told = answer.headers.get("Retry-After", "")
        raise FeedRefused(answer.status, float(told) if told.isdecimal() and len(told) < 5 else 0.0)
