"""The public keys that a client signs with: registered by value, or by the URI where it keeps them (RFC 7591 §2)."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.jose.algorithms import ALGORITHMS, Alg, PublicKey
from authcenter.jose.jwk import is_of_known_kind, read_public_jwk
from authcenter.sdk.observer import FetchOutcome, Observer, Unobserved
from authcenter.stores.ports.remote import FetchFailed, Fetching

FRESH_SECONDS = 300.0
"""How long a fetched set is used without another look: what a client has taken out of it goes on counting so long."""

COOL_DOWN_SECONDS = 10.0
"""How long a kid that is not there, or a failure, causes no further fetch."""

STALE_SECONDS = 3_600.0
"""How long a fetched set is used while its URI does not answer."""

MOST_KEYS = 20
_MOST_SETS = 1_000


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A public key, bound to one algorithm: an RSA key without ``alg`` makes two of these.

    Attributes:
        kid: As the client named it; None: not at all.
    """

    kid: str | None
    alg: Alg
    public: PublicKey

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises ``cryptography.exceptions.InvalidSignature``."""
        ALGORITHMS[self.alg].verify(self.public, signature, data)


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: Sequence[ClientKey]
    at: float


@dataclass(slots=True)
class ClientKeys:
    """Finds clients' keys. Sets behind a URI are cached by it, and fetched by one flight at a time.

    Attributes:
        observer: Told of look-ups and fetches, for the metrics.
        tried: When each URI was asked last, whatever came of it.
    """

    fetch: Fetching
    clock: Clock
    observer: Observer = field(default_factory=Unobserved)
    sets: dict[str, _Fetched] = field(default_factory=dict)
    tried: dict[str, float] = field(default_factory=dict)
    flights: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    async def keys_of(self, client: Client, kid: str | None) -> Sequence[ClientKey]:
        """The keys of ``client`` with this ``kid``, or all of them where it is None. Empty: none are to be had.

        A ``kid`` that is not in the set the client keeps at its ``jwks_uri`` has it fetched anew, at most every 10 s.
        """
        party = client.relying_party
        if not party.jwks_uri:
            return _named(read_keys(party.jwks or {}), kid)
        return await self.keys_at(party.jwks_uri, kid)

    async def keys_at(self, uri: str, kid: str | None) -> Sequence[ClientKey]:
        """The same of whoever keeps a set at ``uri``."""
        now = self.clock.seconds()
        held = self.sets.get(uri)
        known = held is not None and bool(_named(held.keys, kid))
        self.observer.key_looked_up(found=known)
        if held is None or not known or now - held.at >= FRESH_SECONDS:
            await self._refresh(uri, now)
            held = self.sets.get(uri)
        if held is None or now - held.at >= STALE_SECONDS:
            return ()
        return _named(held.keys, kid)

    async def _refresh(self, uri: str, now: float) -> None:
        flight = self.flights.get(uri)
        if flight is None:
            if now - self.tried.get(uri, -COOL_DOWN_SECONDS) < COOL_DOWN_SECONDS:
                return
            flight = self.flights[uri] = asyncio.create_task(self._fetch(uri, now))
        # Shielded: who gives up waiting does not end the flight of the others.
        await asyncio.shield(flight)

    async def _fetch(self, uri: str, now: float) -> None:
        _make_room(self.tried, uri)
        self.tried[uri] = now
        outcome = FetchOutcome.FAILED
        try:
            keys = read_keys(_read_set(await self.fetch.get(uri)))
            outcome = FetchOutcome.FETCHED
        except FetchFailed:
            return
        finally:
            del self.flights[uri]
            self.observer.keys_fetched(outcome, self.clock.seconds() - now)
        _make_room(self.sets, uri)
        self.sets[uri] = _Fetched(keys, now)


def read_keys(jwks: Mapping[str, Any]) -> list[ClientKey]:
    """The signature keys of a JWK set that this server can use; others are passed over (RFC 7517 §5)."""
    keys = jwks.get("keys")
    members = [jwk for jwk in keys[:MOST_KEYS] if isinstance(jwk, dict)] if isinstance(keys, list) else []
    return [key for jwk in members if jwk.get("use", "sig") == "sig" for key in _read_key(jwk)]


def _read_key(jwk: dict[str, Any]) -> list[ClientKey]:
    kid = jwk["kid"] if isinstance(jwk.get("kid"), str) else None
    found: list[ClientKey] = []
    if not is_of_known_kind(jwk):
        return found
    for alg in Alg:
        if jwk.get("alg", alg) == alg:
            try:
                found.append(ClientKey(kid, alg, read_public_jwk({**jwk, "alg": alg})))
            except ValueError:
                continue
    return found


def _read_set(body: bytes) -> Mapping[str, Any]:
    try:
        jwks = json.loads(body.decode())
    except (ValueError, RecursionError) as problem:
        raise FetchFailed("not JSON") from problem
    if not isinstance(jwks, dict):
        raise FetchFailed("not a JWK set")
    return jwks


def _named(keys: Sequence[ClientKey], kid: str | None) -> Sequence[ClientKey]:
    return keys if kid is None else [key for key in keys if key.kid == kid]


def _make_room(entries: dict[str, Any], uri: str) -> None:
    # The oldest goes: dictionaries keep the order of insertion.
    if len(entries) >= _MOST_SETS and uri not in entries:
        del entries[next(iter(entries))]
