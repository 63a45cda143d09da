"""Asking the authorization server for a document, within limits on size, time and place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import aiohttp

LARGEST_DOCUMENT = 256 * 1024
"""Bytes; a longer answer is a failure."""


class FetchFailed(Exception):
    """No usable answer. The text is for operators; it holds no secret."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer.

    Attributes:
        status: 200, 304, or whatever else was answered.
        etag, cache_control, age: Header fields, empty where absent.
    """

    status: int
    body: bytes = b""
    etag: str = ""
    cache_control: str = ""
    age: str = ""


class Fetch(Protocol):
    """GETs a document. Follows no redirect: where the keys lie is settled by the issuer alone."""

    async def get(self, url: str, etag: str = "") -> Fetched:
        """The answer; with ``etag``, 304 is one where nothing has changed.

        Raises:
            FetchFailed: None came in time, or it is too large.
        """
        ...


class AiohttpFetch(Fetch):
    """Over a session that ``open_fetch`` made."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, url: str, etag: str = "") -> Fetched:
        headers = {"If-None-Match": etag} if etag else {}
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False) as answer:
                return Fetched(
                    status=answer.status,
                    body=await _bounded(answer),
                    etag=answer.headers.get("ETag", ""),
                    cache_control=",".join(answer.headers.getall("Cache-Control", ())),
                    age=answer.headers.get("Age", ""),
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            raise FetchFailed(f"{url}: {type(problem).__name__}: {problem!s:.200}") from problem


@asynccontextmanager
async def open_fetch(timeout_seconds: float = 5.0, accept: str = "application/json") -> AsyncIterator[AiohttpFetch]:
    """A session without cookies, and one that no proxy variable or ``.netrc`` redirects.

    Args:
        timeout_seconds: For one whole answer.
        accept: The media type that is asked for.
    """
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        # No cache on the way may answer: a key it has not heard of is why this asks. And what is not compressed
        # cannot unfold to more than it was.
        headers={"Accept": accept, "Accept-Encoding": "identity", "Cache-Control": "no-cache"},
        auto_decompress=False,
    ) as session:
        yield AiohttpFetch(session)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(LARGEST_DOCUMENT):
        body += chunk
        if len(body) > LARGEST_DOCUMENT:
            raise FetchFailed(f"{answer.url}: over {LARGEST_DOCUMENT} bytes")
    return bytes(body)
