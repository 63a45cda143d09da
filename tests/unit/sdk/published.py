"""An authorization server without sockets, as the SDK sees it: keys that it publishes, answers that a test scripts."""

import asyncio
import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from authcenter.jose.algorithms import Alg
from authcenter.jose.jwk import signature_jwk
from authcenter.keys.ring import SigningKey
from authcenter.sdk.fetching import Fetch, Fetched, FetchFailed
from tests.workbench import ISSUER, START, private_key

JWKS = f"{ISSUER}/keys"
METADATA = f"{ISSUER}/.well-known/openid-configuration"


@functools.cache
def signing_key(alg: Alg = Alg.ES256, number: int = 0) -> SigningKey:
    """A key of the issuer."""
    private = private_key(alg, number)
    jwk = signature_jwk(private.public_key(), alg)
    return SigningKey(jwk["kid"], alg, private.public_key(), jwk, private, START, START, None, None)


def key_set(*keys: SigningKey) -> bytes:
    return json.dumps({"keys": [key.public_jwk for key in keys]}).encode()


@dataclass
class PublishedByIssuer(Fetch):
    """Attributes:
    keys: What the issuer publishes.
    down: Whether it is gone.
    asked: The URLs that were fetched, in order; ``etags``: with which ``If-None-Match``.
    gate: While it is not set, no answer comes.
    """

    keys: Sequence[SigningKey] = field(default_factory=lambda: [signing_key()])
    down: bool = False
    cache_control: str = "public, max-age=600"
    with_etags: bool = True
    metadata: bytes = json.dumps({"issuer": ISSUER, "jwks_uri": JWKS}).encode()
    asked: list[str] = field(default_factory=list)
    etags: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None

    @property
    def fetches(self) -> int:
        """How often the key set was asked for."""
        return self.asked.count(JWKS)

    async def get(self, url: str, etag: str = "") -> Fetched:
        self.asked.append(url)
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.down:
            raise FetchFailed("gone")
        if url == METADATA:
            return Fetched(200, self.metadata)
        if url != JWKS:
            return Fetched(404)
        self.etags.append(etag)
        body = key_set(*self.keys)
        tag = f'"{hashlib.sha256(body).hexdigest()}"' if self.with_etags else ""
        if etag and etag == tag:
            return Fetched(304, etag=tag, cache_control=self.cache_control)
        return Fetched(200, body, tag, self.cache_control)


@dataclass
class SetTime:
    """Monotonic seconds that stand where a test puts them; who sleeps moves them."""

    at: float = 1_000.0

    def __call__(self) -> float:
        return self.at
