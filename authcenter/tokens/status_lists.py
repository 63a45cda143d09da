"""Status lists as they are served: bits, signed (draft-ietf-oauth-status-list §5.1).

A list is worked out from the record when somebody asks for it and something was revoked since; everybody who asks at
the same time waits for the same query, everybody else gets bytes that are there. How often that may be is bounded by
what it costs, so that nobody who only asks can load the database.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, replace
from datetime import timedelta

from authcenter.core.clock import Clock
from authcenter.core.errors import StoreUnavailable, Unavailable
from authcenter.core.status import StatusList
from authcenter.jose.status_list import STATUS_LIST_TYPE, encode_bits
from authcenter.keys.source import LiveKeyRing
from authcenter.stores.ports.status_lists import StatusListStore
from authcenter.tokens.status_claim import status_list_uri
from authcenter.tokens.status_outcomes import Outcomes
from authcenter.tokens.status_places import PLACES

TTL_SECONDS = 10
"""How long a verifier may use a copy; with the time a revocation takes to get here it bounds how late one is seen."""
_LIFETIME_SECONDS = 3600
_LEAST_SECONDS_BETWEEN_BUILDS = 1.0
_SHARE_OF_TIME = 10
_SETTLED_SECONDS = 3.0
_MOST_SECONDS_BETWEEN_BUILDS = 60.0
_SECONDS_BETWEEN_LISTINGS = 0.1
_SERVED_AFTER_LAPSE = timedelta(hours=1)
_LIST_ID = re.compile(r"[A-Za-z0-9_-]{16}")


@dataclass(frozen=True, slots=True)
class SignedStatusList:
    """A Status List Token, and its strong entity tag."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Held:
    """A list as it was worked out.

    Attributes:
        version: Of the revocations that this process knew then; ``new_at``: when it was first seen.
        next_at: Before that it is not worked out again.
        iat, expires_at: Unix seconds of the signed form.
    """

    listed: StatusList
    bits: str
    version: int
    new_at: float
    built_at: float
    next_at: float
    iat: int
    expires_at: int
    kid: str = ""
    signed: SignedStatusList | None = None


class StatusLists:
    """All status lists of this issuer, from one process.

    ``version`` rises with whatever this process learns to be revoked; ``algorithm`` is what lists are signed with.
    """

    def __init__(
        self,
        issuer: str,
        store: StatusListStore,
        keys: LiveKeyRing,
        algorithm: Callable[[], str],
        version: Callable[[], int],
        clock: Clock,
        builds: Outcomes,
    ) -> None:
        self._issuer, self._store, self._keys, self._clock = issuer, store, keys, clock
        self._algorithm, self._version, self._builds = algorithm, version, builds
        self._known: Mapping[str, StatusList] = {}
        self._asked_at = self._listed_at = float("-inf")
        self._listings = self._ended = 0
        self._failure: Unavailable | None = None
        self._listing = asyncio.Lock()
        self._held: dict[str, _Held] = {}
        self._flights: dict[str, asyncio.Task[None]] = {}

    async def get(self, list_id: str) -> SignedStatusList | None:
        """The list of that name as of now; None where there is none.

        Raises:
            StoreUnavailable: It is not known well enough to be served, or there is no key to sign it with.
        """
        held = self._held.get(list_id)
        if held is None:
            if not await self._exists(list_id):
                return None
            # Somebody may have worked it out while this one waited to hear that there is such a list.
            held = self._held.get(list_id)
        if held is None or self._due(held):
            # The flight is everybody's: who leaves does not take it along.
            await asyncio.shield(self._flight(list_id))
            held = self._held.get(list_id)
        if held is None:
            return None
        if self._clock.seconds() >= held.expires_at:
            raise StoreUnavailable(f"the status list {list_id} has lapsed and cannot be worked out anew")
        return self._sign(held)

    async def uris(self) -> list[str]:
        """Where each list is that a living token may name (§9). Raises ``StoreUnavailable``."""
        if asyncio.get_running_loop().time() - self._listed_at > TTL_SECONDS:
            await self._list_all()
        now = self._clock.now()
        return [status_list_uri(self._issuer, one.list_id) for one in self._known.values() if one.lapses_at > now]

    async def _exists(self, list_id: str) -> bool:
        if not _LIST_ID.fullmatch(list_id):
            return False
        if list_id not in self._known:
            # Perhaps another process has begun it since the lists were last read.
            await self._list_all()
        return list_id in self._known

    async def _list_all(self) -> None:
        """Read which lists there are, unless somebody else begins to meanwhile; a few times a second at most."""
        loop, begun = asyncio.get_running_loop(), self._listings
        async with self._listing:
            if self._ended > begun:
                if self._failure is not None:
                    raise StoreUnavailable(str(self._failure)) from self._failure
                return
            await asyncio.sleep(max(0.0, self._asked_at + _SECONDS_BETWEEN_LISTINGS - loop.time()))
            self._listings += 1
            self._asked_at = loop.time()
            try:
                lists = await self._store.lists()
            except Unavailable as failure:
                self._ended, self._failure = self._listings, failure
                raise
            lapsed = self._clock.now() - _SERVED_AFTER_LAPSE
            self._known = {listed.list_id: listed for listed in lists if listed.lapses_at > lapsed}
            self._listed_at, self._ended, self._failure = self._asked_at, self._listings, None
        for list_id in self._held.keys() - self._known.keys() - self._flights.keys():
            del self._held[list_id]

    def _due(self, held: _Held) -> bool:
        now = self._clock.seconds()
        if now < held.next_at:
            return False
        age = now - held.built_at
        # Built once more after a revocation: a token that was being issued meanwhile may have been written after it.
        unsettled = held.built_at - held.new_at < _SETTLED_SECONDS <= age
        return held.version != self._version() or unsettled or age >= _MOST_SECONDS_BETWEEN_BUILDS

    def _flight(self, list_id: str) -> "asyncio.Task[None]":
        flight = self._flights.get(list_id)
        if flight is None:
            # In a context of its own: it is no request's.
            flight = self._flights[list_id] = asyncio.get_running_loop().create_task(
                self._build(list_id), context=Context()
            )
            flight.add_done_callback(lambda done: self._landed(list_id, done))
        return flight

    def _landed(self, list_id: str, flight: "asyncio.Task[None]") -> None:
        del self._flights[list_id]
        if not flight.cancelled():
            # Looked at, so that nobody is told of it who did not wait.
            flight.exception()

    async def _build(self, list_id: str) -> None:
        before = self._held.get(list_id)
        listed = before.listed if before is not None else self._known[list_id]
        started, version = self._clock.seconds(), self._version()
        try:
            refused = await self._store.refused(listed)
        except StoreUnavailable as failure:
            self._builds.failed(str(failure))
            if before is None or started >= before.expires_at:
                raise
            # What was known goes on being served, as old as it says it is.
            self._held[list_id] = replace(before, next_at=started + _LEAST_SECONDS_BETWEEN_BUILDS)
            return
        self._builds.worked()
        bits = await asyncio.to_thread(encode_bits, refused, PLACES)
        ended = self._clock.seconds()
        held = _Held(
            listed=listed,
            bits=bits,
            version=version,
            new_at=before.new_at if before is not None and before.version == version else started,
            built_at=started,
            next_at=ended + max(_LEAST_SECONDS_BETWEEN_BUILDS, _SHARE_OF_TIME * (ended - started)),
            iat=int(started),
            expires_at=int(started) + _LIFETIME_SECONDS,
        )
        if before is not None and before.bits == bits and started - before.iat < _MOST_SECONDS_BETWEEN_BUILDS:
            # The same list, so the same bytes: whoever has them is told so by the entity tag.
            held = replace(held, iat=before.iat, expires_at=before.expires_at, kid=before.kid, signed=before.signed)
        self._held[list_id] = held

    def _sign(self, held: _Held) -> SignedStatusList:
        key = self._keys.ring.signer(self._algorithm())
        if held.signed is not None and held.kid == key.kid:
            return held.signed
        claims = {
            "iss": self._issuer,
            "sub": status_list_uri(self._issuer, held.listed.list_id),
            "iat": held.iat,
            "exp": held.expires_at,
            "ttl": TTL_SECONDS,
            "status_list": {"bits": 1, "lst": held.bits},
        }
        body = key.jwt(claims, STATUS_LIST_TYPE).encode("ascii")
        signed = SignedStatusList(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
        self._held[held.listed.list_id] = replace(held, kid=key.kid, signed=signed)
        return signed
