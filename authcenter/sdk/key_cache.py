"""The issuer's public keys in this process: fetched ahead of need, kept while the issuer is gone (RFC 7517, RFC 9111).

Keys are fetched anew in the background before their time is over (``Cache-Control: max-age``, 5 to 10 minutes),
so that no request waits for it. A key that has left the set stops verifying then. While the authorization server does
not answer, the last good set stays in force for as long as this process lives: what it signed can be checked without
the server, and whoever must hear of a revoked key sooner follows the revocations.

A token that names an unknown key has the set fetched at once, together with all that ask meanwhile, and at most once in
a few seconds, whether that helped or not.
"""

import asyncio
import math
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Protocol, Self

from authcenter.jose.access_token import VerifyingKey
from authcenter.sdk.backoff import Backoff
from authcenter.sdk.discovery import Discovery
from authcenter.sdk.fetching import Fetch, Fetched, FetchFailed
from authcenter.sdk.key_set import read_key_set
from authcenter.sdk.observer import FetchOutcome, Observer, Unobserved
from authcenter.sdk.signed_document import IssuerKeys
from authcenter.sdk.verification import KeysUnavailable

SHORTEST_SECONDS, LONGEST_SECONDS = 300, 600
UNKNOWN_KID_COOLDOWN = 5.0
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)
_LEAST_PAUSE, _MOST_PAUSE = 1.0, 60.0
_REFRESHED_AT = (0.75, 0.9)  # of the lifetime, drawn: a fleet started together must not ask together


class KeySource(IssuerKeys, Protocol):
    """Where a verifier finds keys, and learns that they have changed.

    Attributes:
        version: Changes whenever a key came, went or changed; who remembers a verdict compares it.
    """

    @property
    def version(self) -> int: ...


class KeyCache(KeySource):
    """Belongs to one event loop, that of its ``async with``; after a fork, each process opens its own."""

    def __init__(
        self,
        issuer: str,
        fetch: Fetch,
        observer: Observer | None = None,
        *,
        unknown_kid_cooldown: float = UNKNOWN_KID_COOLDOWN,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Args:
            unknown_kid_cooldown: Seconds between two fetches for unknown keys.
            uniform: A random number between two others, for jitter.

        Raises:
            ValueError: ``issuer`` is not an https URL, nor an http one of this machine.
        """
        self._discovery, self._fetch = Discovery(issuer, fetch), fetch
        self._observer = Unobserved() if observer is None else observer
        self._cooldown, self._monotonic, self._uniform, self._sleep = unknown_kid_cooldown, monotonic, uniform, sleep
        self._backoff = Backoff(monotonic, uniform, least=_LEAST_PAUSE, most=_MOST_PAUSE)
        self._keys: Mapping[str, VerifyingKey] | None = None
        self._document, self._etag = b"", ""
        self._refresh_at = self._cool_until = -math.inf
        self._flight: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._version = 0

    @property
    def version(self) -> int:
        return self._version

    def find(self, kid: str) -> VerifyingKey | None:
        if self._keys is None:
            raise KeysUnavailable("the keys are not known yet", retry_after=self._retry_after())
        key = self._keys.get(kid)
        self._observer.key_looked_up(found=key is not None)
        return key

    async def learn(self) -> bool:
        self._insist_on_loop()
        if self._flight is not None:
            await self._landed(self._flight)
            looked = True
        else:
            looked = await self._look_now()
        if self._keys is None:
            raise KeysUnavailable("the authorization server does not tell its keys", retry_after=self._retry_after())
        return looked

    async def refresh(self) -> None:
        """Fetch the keys now, or wait for who does already. Never raises: what fails is tried again later."""
        self._insist_on_loop()
        await self._landed(self._flight or self._depart())

    def due_in(self) -> float:
        """Seconds until the background fetches again."""
        return max(0.0, self._refresh_at - self._monotonic(), self._backoff.wait)

    async def close(self) -> None:
        """Stop fetching. Keys at hand go on verifying."""
        tasks = [task for task in (self._following, self._flight) if task is not None]
        self._loop = self._following = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _look_now(self) -> bool:
        known = self._keys is not None
        if self._backoff.wait or (known and self._monotonic() < self._cool_until):
            return False
        await self._landed(self._depart(for_unknown_kid=known))
        return True

    def _depart(self, *, for_unknown_kid: bool = False) -> "asyncio.Task[None]":
        self._flight = asyncio.create_task(self._renew(for_unknown_kid=for_unknown_kid))
        return self._flight

    async def _landed(self, flight: "asyncio.Task[None]") -> None:
        # Not awaited itself: who gives up waiting must not end what others wait for.
        await asyncio.wait([flight])

    async def _follow(self) -> None:
        while True:
            if (due_in := self.due_in()) > 0:
                await self._sleep(due_in)
            else:
                await self.refresh()

    async def _renew(self, *, for_unknown_kid: bool) -> None:
        since, outcome = self._monotonic(), FetchOutcome.FAILED
        try:
            outcome = self._keep(await self._fetch_set())
        except (FetchFailed, ValueError):
            self._discovery.forget()
        finally:
            self._flight = None
            if for_unknown_kid:
                self._cool_until = self._monotonic() + self._cooldown
            if outcome is FetchOutcome.FAILED:
                self._backoff.failed()
            else:
                self._backoff.succeeded()
        self._observer.keys_fetched(outcome, self._monotonic() - since)

    async def _fetch_set(self) -> Fetched:
        url = await self._discovery.jwks_uri()
        answer = await self._fetch.get(url, self._etag)
        if answer.status != 200 and not (answer.status == 304 and self._etag):
            raise FetchFailed(f"{url} answered {answer.status}")
        return answer

    def _keep(self, answer: Fetched) -> FetchOutcome:
        changed = answer.status == 200 and (self._keys is None or answer.body != self._document)
        if changed:
            self._keys = read_key_set(answer.body)
            self._document = answer.body
            self._version += 1
        if answer.status == 200:
            self._etag = answer.etag
        share = self._uniform(*_REFRESHED_AT)
        self._refresh_at = self._monotonic() + lifetime(answer.cache_control, answer.age) * share
        return FetchOutcome.FETCHED if changed else FetchOutcome.UNCHANGED

    def _retry_after(self) -> int:
        return max(1, math.ceil(self._backoff.wait))

    def _insist_on_loop(self) -> None:
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError("a KeyCache belongs to the event loop of its `async with`, and is closed with it")


def lifetime(cache_control: str, age: str = "") -> int:
    """Seconds for which a key set is used without asking: what is left of ``max-age``, from 5 to 10 minutes.

    An issuer that forbids keeping them gets the five minutes: else each new token would cost it a request.
    """
    found = _MAX_AGE.search(cache_control)
    spent = int(age) if age.isascii() and age.isdecimal() and len(age) < 10 else 0
    stated = int(found[1]) - spent if found else SHORTEST_SECONDS
    return min(max(stated, SHORTEST_SECONDS), LONGEST_SECONDS)
