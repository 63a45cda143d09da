"""``GET /oauth/revocations``: what is revoked, for resource servers that check tokens themselves.

Without a cursor the snapshot; with one what was learnt after it, at once, after a wait (long poll), or for as long as
the caller listens (server-sent events).
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from authcenter.clients.authentication import ClientAuthentication
from authcenter.core.base64url import encode as base64url
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.errors import ErrorCode, OAuthError, RateLimited, Unavailable, invalid_request
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES
from authcenter.http.credentials import client_credentials
from authcenter.http.forms import parse_form
from authcenter.http.responses import NO_STORE, Answer, header_lines
from authcenter.http.router import Router
from authcenter.sdk.feed_document import CONTENT_TYPE, EVENT_STREAM, PATH, TICK_SECONDS, DocumentKind
from authcenter.tokens.feed import Cursor, RevocationFeed, SignedEntries

MOST_WAIT_SECONDS = 30
MOST_FOLLOWING = 64
"""Streams and waits that one client may have at one process at a time."""

_STREAM_SECONDS = 300.0
"""After that the caller has to connect, and to prove who it is, again."""

_WRITE_SECONDS = 10.0
"""How long a caller may leave what it was sent unread."""

_SETTLE_SECONDS = 0.02
"""What is revoked together is told together."""

_PIECE_BYTES = 128 * 1024
_RETRY_SECONDS = 5.0
_NO_FORM = Form({}, ())
_DOCUMENT = {"Content-Type": CONTENT_TYPE, "Vary": "Authorization, Accept"}
# A proxy that collected or changed what passes would hold revocations back.
_EVENTS = header_lines(
    {"Content-Type": EVENT_STREAM, "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
)


@dataclass(frozen=True, slots=True)
class RevocationFeedEndpoint:
    """The revocation feed."""

    authentication: ClientAuthentication
    feed: RevocationFeed
    clock: Clock
    _following: Counter[str] = field(default_factory=Counter)

    def mount(self, router: Router) -> None:
        router.add_get(PATH, self.get)

    async def get(self, request: web.BaseRequest) -> Answer:
        caller = await self._caller(request)
        asked = parse_form(request.rel_url.raw_query_string.encode())
        after, streams = asked.get("after"), _wants_events(request)
        if streams:
            # Who comes back says where he was in the header, his URL still says where he began.
            after = request.headers.get("Last-Event-ID", after)
        cursor = None if after is None else _cursor(after)
        if streams:
            self._check_room(caller)
            here = cursor or self.feed.here()
            return Answer(lines=_EVENTS, stream=lambda writer: self._events(writer, here, caller))
        if cursor is None:
            return await self._snapshot(request, caller)
        return await self._delta(caller, cursor, _seconds(asked.get("wait")))

    async def _caller(self, request: web.BaseRequest) -> Client:
        notes = request[NOTES]
        presented = client_credentials(request, _NO_FORM)
        notes.client_id = presented.client_id
        caller = await self.authentication.authenticate(presented, notes.origin.ip)
        if caller.public or not caller.serves:
            description = "The client serves no resource."
            hint = f"{caller.client_id} is public" if caller.public else f"{caller.client_id} serves nothing"
            code = ErrorCode.UNAUTHORIZED_CLIENT
            raise OAuthError(code, description, rule=Rule.CALLER_NOT_ENTITLED, hint=hint, status=403)
        return caller

    async def _snapshot(self, request: web.BaseRequest, caller: Client) -> Answer:
        document = await self.feed.snapshot()
        # Weak: each answer is signed anew, and says the same (RFC 9110 §8.8.1).
        etag = f'W/"{document.tag}"'
        headers = {**_DOCUMENT, "Cache-Control": "private, no-cache", "ETag": etag}
        known = [one.strip() for one in request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")]
        if etag in known:
            return Answer(status=304, headers=headers)
        if len(document.packed) <= _PIECE_BYTES or request.method == hdrs.METH_HEAD:
            return Answer(_body(document), headers=headers)
        self._check_room(caller)
        first = document.signed.encode() + b"\n"
        headers["Content-Length"] = str(len(first) + len(document.packed))
        return Answer(headers=headers, stream=lambda writer: self._pieces(writer, first, document.packed, caller))

    async def _pieces(self, writer: AbstractStreamWriter, first: bytes, packed: bytes, caller: Client) -> None:
        """A large document, no faster than it is read: all who fetch it share the one copy."""
        with self._counted(caller):
            await _write(writer, first)
            whole = memoryview(packed)
            for at in range(0, len(packed), _PIECE_BYTES):
                await _write(writer, whole[at : at + _PIECE_BYTES])

    async def _delta(self, caller: Client, cursor: Cursor, seconds: float) -> Answer:
        document = self.feed.after(cursor)
        if seconds and not document.news and document.kind is DocumentKind.DELTA:
            self._check_room(caller)
            with self._counted(caller):
                await self.feed.grown(document.cursor, seconds)
                await asyncio.sleep(_SETTLE_SECONDS)
            document = self.feed.after(cursor)
        return Answer(_body(document), lines=NO_STORE, headers=_DOCUMENT)

    async def _events(self, writer: AbstractStreamWriter, cursor: Cursor, caller: Client) -> None:
        """Tell until the feed ends, the time is up, a reset has to be told, or the caller is gone."""
        # Jitter, so that callers that came together do not all come back together.
        ends = self.clock.seconds() + _STREAM_SECONDS * random.uniform(0.8, 1.0)  # noqa: S311
        with self._counted(caller):
            await _write(writer, b": revocations\nretry: 1000\n\n")
            while True:
                try:
                    document = self.feed.after(cursor)
                except Unavailable:
                    # The head is out: all that can be said any more is nothing.
                    return
                await _write(writer, _event(document))
                if document.kind is DocumentKind.RESET or self.feed.ended or self.clock.seconds() >= ends:
                    return
                cursor = document.cursor
                # All streams tick at once, so that one document with one signature does for all.
                await self.feed.grown(cursor, TICK_SECONDS - self.clock.seconds() % TICK_SECONDS)
                await asyncio.sleep(_SETTLE_SECONDS)

    def _check_room(self, caller: Client) -> None:
        if self._following[caller.client_id] >= MOST_FOLLOWING:
            hint = f"{caller.client_id} follows {MOST_FOLLOWING} times"
            raise RateLimited(
                Rule.FEED_FULL, hint, limit=MOST_FOLLOWING, retry_after=_RETRY_SECONDS, reset_after=_RETRY_SECONDS
            )

    @contextmanager
    def _counted(self, caller: Client) -> Iterator[None]:
        self._following[caller.client_id] += 1
        try:
            yield
        finally:
            self._following[caller.client_id] -= 1
            if not self._following[caller.client_id]:
                del self._following[caller.client_id]


def _wants_events(request: web.BaseRequest) -> bool:
    return request.method == hdrs.METH_GET and EVENT_STREAM in request.headers.get(hdrs.ACCEPT, "")


def _cursor(text: str) -> Cursor:
    try:
        return Cursor.parse(text)
    except ValueError as problem:
        raise _malformed("The cursor is malformed.", f"{problem}: {text!a:.80}") from problem


def _seconds(text: str | None) -> float:
    if text is None:
        return 0.0
    if not text.isascii() or not text.isdecimal() or len(text) > 2 or int(text) > MOST_WAIT_SECONDS:
        raise _malformed(f"wait is a number of seconds, at most {MOST_WAIT_SECONDS}.", f"wait is {text!a:.20}")
    return float(text)


def _malformed(description: str, hint: str) -> OAuthError:
    return invalid_request(Rule.FEED_CURSOR_MALFORMED, description, hint)


def _body(document: SignedEntries) -> bytes:
    return b"".join((document.signed.encode(), b"\n", document.packed))


def _event(document: SignedEntries) -> bytes:
    """The same as text: two lines of data, the second being the entries in base64url."""
    data = f"data: {document.signed}\ndata: {base64url(document.packed)}\n\n"
    return f"id: {document.cursor}\nevent: {document.kind}\n{data}".encode()


async def _write(writer: AbstractStreamWriter, data: bytes | memoryview) -> None:
    try:
        async with asyncio.timeout(_WRITE_SECONDS):
            await writer.write(data)
    except TimeoutError as slow:
        if writer.transport is not None:
            writer.transport.abort()
        raise ConnectionResetError("the caller does not read") from slow
