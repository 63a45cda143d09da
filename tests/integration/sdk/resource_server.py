"""A resource server in the test's own process: the SDK as an application would use it, its fetches counted."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from authcenter.core.token import AccessToken
from authcenter.sdk.fetching import Fetch, Fetched, open_fetch
from authcenter.sdk.key_cache import UNKNOWN_KID_COOLDOWN, KeyCache
from authcenter.sdk.verifier import TokenVerifier

HANG_SECONDS = 90.0


@dataclass
class Counted(Fetch):
    """Passes on, and remembers the paths that were asked for."""

    fetch: Fetch
    urls: list[str] = field(default_factory=list)

    async def get(self, url: str, etag: str = "") -> Fetched:
        self.urls.append(url)
        return await self.fetch.get(url, etag)

    @property
    def key_sets(self) -> int:
        return sum(url.endswith("/jwks.json") for url in self.urls)


@dataclass(frozen=True)
class ResourceServer:
    """Its verifier, its keys, and what these asked the authorization server."""

    verifier: TokenVerifier
    keys: KeyCache
    counted: Counted


@asynccontextmanager
async def resource_server(
    issuer: str, audience: str, cooldown: float = UNKNOWN_KID_COOLDOWN
) -> AsyncIterator[ResourceServer]:
    """Open one. It waits long for an answer: a test must not fail because the machine is busy."""
    async with open_fetch(HANG_SECONDS) as fetch:
        counted = Counted(fetch)
        async with KeyCache(issuer, counted, unknown_kid_cooldown=cooldown) as keys:
            yield ResourceServer(TokenVerifier(issuer, audience, keys), keys, counted)


async def eventually(holds: Callable[[], Awaitable[bool] | bool], what: str) -> None:
    """Wait until it holds; fails after a time that only something broken needs."""
    began = time.monotonic()
    while True:
        answer = holds()
        if await answer if isinstance(answer, Awaitable) else answer:
            return
        assert time.monotonic() - began < HANG_SECONDS, f"still not so: {what}"
        await asyncio.sleep(0.05)


async def verifies(server: ResourceServer, token: str, unless: type[Exception]) -> AccessToken | None:
    """The token, or None where it fails in this way."""
    try:
        return await server.verifier.verify(token)
    except unless:
        return None
