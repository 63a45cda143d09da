"""Answers: JSON that no cache keeps, and refusals in their RFC's form."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion10, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from authcenter.core.errors import ErrorCode, OAuthError, Unavailable
from authcenter.core.wire_json import encode

_NO_STORE = CIMultiDict(
    {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"},
)
_CHALLENGE = 'Basic realm="authcenter", charset="UTF-8"'
_WITHOUT_LENGTH = frozenset({204, 304})


class Answer(web.StreamResponse):
    """A whole answer: status, headers and a body that is known.

    ``web.Response`` looks at every answer for what none of ours has (chunks, compression, cookies, payloads of unknown
    length), which costs a tenth of an introspection.
    """

    def __init__(self, body: bytes = b"", status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status=status, headers=headers)
        self.body = body
        self._closes = False
        self._stays = False
        self._writer: AbstractStreamWriter | None = None

    @property
    def keep_alive(self) -> bool:
        """Whether the connection outlives this answer; known once it is prepared."""
        return self._stays

    def force_close(self) -> None:
        self._closes = True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Called by aiohttp, ``write_eof`` after it: head and body leave in one write."""
        headers, version = self.headers, request.version
        if self.status not in _WITHOUT_LENGTH:
            headers[hdrs.CONTENT_LENGTH] = str(len(self.body))
        if request.method == "HEAD":
            self.body = b""
        headers[hdrs.DATE] = _date(int(time.time()))
        self._stays = request.keep_alive and not self._closes
        if not self._stays:
            headers[hdrs.CONNECTION] = "close"
        elif version == HttpVersion10:
            headers[hdrs.CONNECTION] = "keep-alive"
        writer = self._writer = request.writer
        await writer.write_headers(f"HTTP/{version.major}.{version.minor} {self.status} {self.reason}", headers)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        if self._writer is not None:
            await self._writer.write_eof(self.body)


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """The ``Date`` header (RFC 9110 §6.6.1), the same for all answers of one second."""
    return formatdate(second, usegmt=True)


def no_store(body: bytes, status: int = 200) -> Answer:
    """JSON that must not be cached (RFC 6749 §5.1)."""
    return Answer(body, status, _NO_STORE)


def error(code: str, description: str, status: int) -> Answer:
    return no_store(encode({"error": code, "error_description": description}), status)


def refusal(refused: OAuthError) -> Answer:
    """A refusal as RFC 6749 §5.2 has it; 401 always says how to authenticate."""
    response = error(refused.code, refused.description, refused.status)
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = _CHALLENGE
    return response


def unavailable(cause: Unavailable) -> Answer:
    """Cannot tell now: try again."""
    response = error(ErrorCode.TEMPORARILY_UNAVAILABLE, "Try again later.", 503)
    response.headers["Retry-After"] = str(cause.retry_after)
    return response
