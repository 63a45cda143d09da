"""Follows an authorization server's revocation feed, so that tokens are checked here and revocations still count.

A snapshot first, then what is learnt after it. The server may be gone for as long as it likes: what is known goes on
counting, and how old that is is known too.
"""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from types import TracebackType
from typing import Literal, Protocol, Self

import aiohttp

from authcenter.core.client import OnOutage
from authcenter.core.clock import Clock, SystemClock
from authcenter.core.errors import RevocationsUnknown, Unavailable
from authcenter.core.secret import Secret
from authcenter.core.token import AccessToken
from authcenter.sdk.basic_auth import basic_authorization, protected
from authcenter.sdk.feed_document import PATH, DocumentKind
from authcenter.sdk.feed_reading import FeedDocument, FeedRejected, read_document
from authcenter.sdk.feed_requests import FeedRefused, FeedRequests, NotAStream, Received
from authcenter.sdk.known_revocations import KnownRevocations
from authcenter.sdk.revocation import RevocationView
from authcenter.sdk.signed_document import IssuerKeys

_LEAST_PAUSE, _MOST_PAUSE = 0.1, 2.0
_REFUSED_PAUSE = 10.0
"""After an answer that will not change by itself: a wrong secret, a client that serves nothing."""

_SECONDS_BETWEEN_DROPS = 30.0
_SECONDS_OF_POLLING = 300.0
"""How long it is polled before a stream is tried again, where none got through."""


class Way(StrEnum):
    """How the feed is followed."""

    EVENTS = "events"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """How a follower stands.

    Attributes:
        loaded: Whether it has ever had a snapshot.
        staleness: Seconds since which it may lack something; infinite before the first snapshot.
        entries: How many tokens and cuts it knows.
        way: How it follows at the moment.
        problem: Why it does not follow now; empty while it does.
        degraded: Whether revocations do not get here as they should: nothing was told yet, or not for too long.
    """

    loaded: bool
    staleness: float
    entries: int
    way: Way
    problem: str
    degraded: bool


class FeedObserver(Protocol):
    """Is told of what happens to a follower: for metrics and logs."""

    def took(self, document: FeedDocument, delay: float) -> None:
        """A document was taken, ``delay`` seconds after it was signed."""
        ...

    def failed(self, problem: str) -> None:
        """Something did not work, and will be tried again."""
        ...


class UnobservedFeed(FeedObserver):
    """For who does not look."""

    def took(self, document: FeedDocument, delay: float) -> None:
        return

    def failed(self, problem: str) -> None:
        return


class RevocationFeed(RevocationView):
    """Everything the authorization server has revoked, a moment ago. To be entered before it is asked.

    Opened with the verifier that asks it, on that verifier's keys:
    ``open_verifier(issuer, audience, revocations=partial(RevocationFeed, client_id="orders", client_secret=secret))``
    """

    def __init__(
        self,
        issuer: str,
        keys: IssuerKeys,
        *,
        client_id: str,
        client_secret: str | Secret,
        url: str | None = None,
        on_outage: OnOutage | Literal["open", "closed"] = OnOutage.OPEN,
        max_staleness: float = 10.0,
        way: Way = Way.EVENTS,
        leeway: float = 60.0,
        most_bytes: int = 256 * 1024 * 1024,
        session: aiohttp.ClientSession | None = None,
        observer: FeedObserver | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Args:
        issuer: Whose documents are taken.
        keys: The issuer's public keys: those of the verifier that asks this feed.
        client_id, client_secret: Of a client that serves a resource (``client_secret_basic``).
        url: Of the feed, where it is not below the issuer.
        on_outage: open: answer from what is known, however old; closed: refuse once that is older than
            ``max_staleness`` seconds.
        way: events falls back to poll by itself where no stream gets through.
        leeway: What the verifier adds to ``exp``, at least: entries are kept for so long after it.
        most_bytes: The longest document that is read.
        session: To be used instead of one of its own; it stays open.

        Raises:
            ValueError: Plain http, beyond this machine.
        """
        self.issuer, self.max_staleness, self.on_outage = issuer, max_staleness, OnOutage(on_outage)
        self._authorization = basic_authorization(client_id, client_secret)
        self._url = protected(url or f"{issuer}{PATH}")
        self._keys, self._observer, self._clock = keys, observer or UnobservedFeed(), clock or SystemClock()
        self._most_bytes, self._leeway = most_bytes, leeway
        self._wanted = self._way = Way(way)
        self._streams_from = -inf
        self._session, self._own_session = session, session is None
        self._known = KnownRevocations()
        self._dropped_at = -inf
        self._problem = "not started"
        self._loaded = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        requests = FeedRequests(self._session, self._url, self._authorization, self._most_bytes)
        self._task = asyncio.create_task(self._run(requests))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._own_session and self._session is not None:
            await self._session.close()
            self._session = None
        self._problem = "ended"

    @property
    def version(self) -> object:
        """None while ``refusal`` would not answer: who remembers a verdict has to ask."""
        return self._known.version if self._may_answer() else None

    @property
    def staleness(self) -> float:
        """Seconds since which a revocation may be missing."""
        return time.monotonic() - self._known.fresh_at

    @property
    def status(self) -> FeedStatus:
        known, staleness = self._known, self.staleness
        degraded = staleness > self.max_staleness
        return FeedStatus(known.loaded, staleness, len(known), self._way, self._problem, degraded)

    def refusal(self, token: AccessToken) -> str | None:
        """Why ``token`` is refused, for operators; None where nothing is known against it.

        Raises:
            RevocationsUnknown: ``closed``, and what is known is too old, or nothing is.
        """
        if not self._may_answer():
            raise RevocationsUnknown(f"revocations are {self.staleness:.0f} s old: {self._problem or 'no news'}")
        return self._known.refusal(token)

    async def wait_loaded(self, seconds: float) -> bool:
        """Whether the first snapshot is there within ``seconds``: what readiness waits for."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._loaded.wait(), seconds)
        return self._known.loaded

    def _may_answer(self) -> bool:
        return self.on_outage is OnOutage.OPEN or self.staleness <= self.max_staleness

    async def _run(self, requests: FeedRequests) -> None:
        pause = _LEAST_PAUSE
        while True:
            least = 0.0
            taken = self._known.fresh_at
            try:
                if self._known.cursor is None:
                    await self._take(await requests.snapshot())
                await self._follow(requests)
            except FeedRefused as refused:
                least = max(refused.retry_after, _REFUSED_PAUSE if refused.status in (401, 403, 404) else 0.0)
                if refused.status == 400:
                    self._known.cursor = None
                self._fail(str(refused))
            except NotAStream as other:
                self._poll_instead(str(other))
            except FeedRejected as refused:
                # Nothing of it was taken. What does not fit will not fit the next time either: begin anew.
                self._known.cursor = None
                self._fail(f"rejected: {refused}")
            except Unavailable as refused:
                self._fail(f"{type(refused).__name__}: {refused}")
            except TimeoutError as silent:
                self._fail(f"no answer: {type(silent).__name__}")
            except (aiohttp.ClientError, OSError, ValueError) as failure:
                self._fail(f"{type(failure).__name__}: {failure}")
            # Who is told to begin anew again and again must not fetch one snapshot after the other.
            forward = self._known.fresh_at > taken and self._known.cursor is not None
            pause = _LEAST_PAUSE if forward else min(pause * 2, _MOST_PAUSE)
            # Jitter, so that those who follow do not come back to a restarted server all at once.
            await asyncio.sleep(max(least, pause) * random.uniform(0.5, 1.0))  # noqa: S311

    async def _follow(self, requests: FeedRequests) -> None:
        """Take what comes, until the server ends it or tells to begin anew."""
        if self._way is Way.POLL and self._wanted is Way.EVENTS and time.monotonic() >= self._streams_from:
            self._way = Way.EVENTS
        if self._way is Way.EVENTS:
            await self._listen(requests)
        elif self._known.cursor is not None:
            await self._take(await requests.delta(self._known.cursor))

    async def _listen(self, requests: FeedRequests) -> None:
        heard = False
        try:
            # Every document moves the cursor; a stream that was told to begin anew has none.
            async with contextlib.aclosing(requests.events(self._known.cursor or "")) as events:
                async for received in events:
                    await self._take(received)
                    heard = True
                    if self._known.cursor is None:
                        return
        except TimeoutError:
            if not heard:
                self._poll_instead("the stream is silent")
            raise

    async def _take(self, received: Received) -> None:
        received_at, now = time.monotonic(), self._clock.seconds()
        document = await read_document(*received, self.issuer, self._keys)
        self._known.take(document, now, received_at)
        if now - self._dropped_at >= _SECONDS_BETWEEN_DROPS:
            self._dropped_at = now
            self._known.drop_lapsed(now - self._leeway)
        self._problem = "" if document.kind is not DocumentKind.RESET else "told to begin anew"
        if self._known.loaded:
            self._loaded.set()
        self._observer.took(document, now - document.issued_at)

    def _poll_instead(self, why: str) -> None:
        self._way, self._streams_from = Way.POLL, time.monotonic() + _SECONDS_OF_POLLING
        self._observer.failed(f"no stream gets through ({why}): polling")

    def _fail(self, problem: str) -> None:
        self._problem = problem
        self._observer.failed(problem)
