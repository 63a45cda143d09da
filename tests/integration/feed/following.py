"""A resource server that follows the feed of running processes."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, Self

from authcenter.core.token import AccessToken
from authcenter.sdk.connection import open_verifier
from authcenter.sdk.feed import FeedObserver, RevocationFeed
from authcenter.sdk.feed_document import PATH
from authcenter.sdk.feed_reading import FeedDocument
from authcenter.sdk.signed_document import IssuerKeys
from authcenter.sdk.verifier import TokenVerifier
from tests.integration.service.api import Credentials

API = "https://api.example"
_HANG_SECONDS = 60


class Kinds(FeedObserver):
    """Remembers what came."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.problems: list[str] = []

    def took(self, document: FeedDocument, delay: float) -> None:
        self.kinds.append(document.kind)

    def failed(self, problem: str) -> None:
        self.problems.append(problem)


class ResourceServer(AbstractAsyncContextManager["ResourceServer"]):
    """Verifies tokens as an application would, and follows the feed at ``url``."""

    feed: RevocationFeed
    verifier: TokenVerifier
    _stack: AsyncExitStack

    def __init__(self, issuer: str, url: str, client: Credentials, **options: Any) -> None:
        self.issuer, self.url, self.client, self.options = issuer, url, client, options
        self.seen = Kinds()

    async def read(self, token: str) -> AccessToken:
        """A token that is not known to be revoked."""
        return await self.verifier.verify(token)

    async def __aenter__(self) -> Self:
        opened = open_verifier(self.issuer, API, revocations=self._follow, timeout_seconds=_HANG_SECONDS)
        async with AsyncExitStack() as stack:
            self.verifier = await stack.enter_async_context(opened)
            assert await self.feed.wait_loaded(_HANG_SECONDS), self.feed.status
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _follow(self, issuer: str, keys: IssuerKeys, *, leeway: float) -> RevocationFeed:
        client_id, secret = self.client.client_id, self.client.secret or ""
        self.feed = RevocationFeed(
            issuer,
            keys,
            client_id=client_id,
            client_secret=secret,
            url=f"{self.url}{PATH}",
            observer=self.seen,
            leeway=leeway,
            **self.options,
        )
        return self.feed


class Balancer:
    """Forwards connections to one of several ports, and breaks them all when that changes."""

    def __init__(self) -> None:
        self.target = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.turn_to(0)
        self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def turn_to(self, port: int) -> None:
        self.target = port
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers.add(there_writer)
        await asyncio.gather(_pipe(reader, there_writer), _pipe(there_reader, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def until(holds: Callable[[], object], what: str) -> None:
    """Wait for something that has no reason not to come about."""
    ends = asyncio.get_running_loop().time() + _HANG_SECONDS
    while not holds():
        assert asyncio.get_running_loop().time() < ends, f"still not so after {_HANG_SECONDS} s: {what}"
        await asyncio.sleep(0.02)
