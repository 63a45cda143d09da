"""Answers: JSON that no cache keeps, and refusals in their RFC's form."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from functools import lru_cache
from math import ceil

from aiohttp import HttpVersion10, web
from aiohttp.abc import AbstractStreamWriter

from authcenter.core.errors import BearerRefused, ErrorCode, OAuthError, RateLimited, Unavailable
from authcenter.core.wire_json import encode

_CHALLENGE = 'Basic realm="authcenter", charset="UTF-8"'
_WITHOUT_LENGTH = frozenset({204, 304})
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def header_lines(headers: Mapping[str, str]) -> bytes:
    """Headers as they go out.

    Raises:
        ValueError: A control character, with which whoever chose the value would write further lines (RFC 9110 §5.5).
    """
    if _FORBIDDEN.search("".join([*headers.keys(), *headers.values()])):
        raise ValueError("a header holds a control character")
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode()


DATA_POLICY = header_lines(
    {
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    }
)
"""What browsers may do with an answer that is no page: nothing."""

NO_STORE = header_lines({"Cache-Control": "no-store", "Pragma": "no-cache"})
_JSON = NO_STORE + header_lines({"Content-Type": "application/json"})


Stream = Callable[[AbstractStreamWriter], Awaitable[None]]
"""Writes on after the head, until it returns."""


class Answer(web.StreamResponse):
    """A whole answer: status, head and a body that is known; or a head and what a stream writes after it.

    ``web.Response`` looks at every answer for what none of ours has (chunks, compression, cookies, payloads of unknown
    length) and writes constants letter by letter, which costs a fifth of an introspection.

    Attributes:
        lines: Headers that many answers share, as ``header_lines`` wrote them.
        headers: Those of this answer; they must not repeat one of ``lines``.
        policy: What browsers may do with it, as lines; pages bring their own.
    """

    def __init__(
        self,
        body: bytes = b"",
        status: int = 200,
        lines: bytes = b"",
        headers: Mapping[str, str] | None = None,
        stream: Stream | None = None,
    ) -> None:
        super().__init__(status=status, headers=headers)
        self.body, self.lines, self.policy, self._stream = body, lines, DATA_POLICY, stream
        # The end of the connection is the end of a stream, unless its headers say its length (RFC 9112 §6.3).
        self._closes, self._stays = stream is not None, False
        self._whole = b""
        self._writer: AbstractStreamWriter | None = None

    @property
    def keep_alive(self) -> bool:
        """Whether the connection outlives this answer; known once it is prepared."""
        return self._stays

    def force_close(self) -> None:
        self._closes = True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Called by aiohttp, ``write_eof`` after it: nothing leaves before that."""
        status, body = self.status, self.body
        own = header_lines(self.headers) if self.headers else b""
        length = f"Content-Length: {len(body)}\r\n"
        if status in _WITHOUT_LENGTH or self._stream is not None:
            length, body = "", b""
        elif request.method == "HEAD":
            # Its length is what a GET's would be (RFC 9110 §8.6).
            body = b""
        self._stays = request.keep_alive and not self._closes
        connection = "" if self._stays else "Connection: close\r\n"
        if self._stays and request.version == HttpVersion10:
            connection = "Connection: keep-alive\r\n"
        # The version is the server's, not the request's (RFC 9110 §6.2).
        first = f"HTTP/1.1 {status} {self.reason}\r\n{length}{connection}"
        self._whole = b"".join((first.encode(), self.lines, own, _date(int(time.time())), b"\r\n", body))
        self._writer = request.writer
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        if self._writer is None:
            return
        if self._stream is None:
            await self._writer.write_eof(self._whole)
            return
        await self._writer.write(self._whole)
        await self._stream(self._writer)
        await self._writer.write_eof()


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    """The ``Date`` header (RFC 9110 §6.6.1), the same for all answers of one second."""
    return header_lines({"Date": formatdate(second, usegmt=True)})


def no_store(body: bytes, status: int = 200) -> Answer:
    """JSON that must not be cached (RFC 6749 §5.1)."""
    return Answer(body, status, _JSON)


def error(code: str, description: str, status: int) -> Answer:
    return no_store(encode({"error": code, "error_description": description}), status)


def refusal(refused: OAuthError) -> Answer:
    """A refusal as RFC 6749 §5.2 has it."""
    return with_directions(error(refused.code, refused.description, refused.status), refused)


def with_directions(response: Answer, refused: OAuthError) -> Answer:
    """``response``, whose headers tell programs how to go on: 401 how to authenticate, 429 when to come again."""
    if isinstance(refused, BearerRefused):
        response.headers["WWW-Authenticate"] = _bearer_challenge(refused)
    elif refused.status == 401:
        response.headers["WWW-Authenticate"] = _CHALLENGE
    if isinstance(refused, RateLimited):
        # RFC 6585 §4: when one request will do, which is earlier than when all of the limit is free again.
        response.headers["Retry-After"] = str(max(1, ceil(refused.retry_after)))
        return with_quota(response, refused.limit, 0, refused.reset_after)
    return response


def _bearer_challenge(refused: BearerRefused) -> str:
    """RFC 6750 §3: descriptions are constants and scopes have no quotes, so that nothing needs to be escaped."""
    parameters = ['Bearer realm="authcenter"']
    if refused.challenge_names_error:
        parameters += [f'error="{refused.code}"', f'error_description="{refused.description}"']
    if refused.scope:
        parameters.append(f'scope="{refused.scope}"')
    return ", ".join(parameters)


def with_quota(response: Answer, limit: int, remaining: int, reset_after: float) -> Answer:
    """``RateLimit-*`` as deployed clients read them (draft-ietf-httpapi-ratelimit-headers-06 §5): the later drafts'
    structured fields have no readers yet, and change with each draft."""
    response.lines += b"RateLimit-Limit: %d\r\nRateLimit-Remaining: %d\r\nRateLimit-Reset: %d\r\n" % (
        limit,
        remaining,
        ceil(reset_after),
    )
    return response


def unavailable(cause: Unavailable) -> Answer:
    """Cannot tell now: try again."""
    response = error(ErrorCode.TEMPORARILY_UNAVAILABLE, "Try again later.", 503)
    response.headers["Retry-After"] = str(cause.retry_after)
    return response
