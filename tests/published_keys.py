"""The published keys of a running process, as who follows its revocation feed needs them."""

from dataclasses import dataclass, field
from typing import Any

import aiohttp

from authcenter.jose.access_token import VerifyingKey
from authcenter.jose.algorithms import ALGORITHMS, Alg
from authcenter.jose.jwk import read_public_jwk
from authcenter.sdk.signed_document import IssuerKeys
from authcenter.sdk.verification import KeysUnavailable


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A key of the published set."""

    kid: str
    alg: str
    public: Any

    def verify(self, signature: bytes, data: bytes) -> None:
        ALGORITHMS[Alg(self.alg)].verify(self.public, signature, data)


@dataclass
class PublishedKeys(IssuerKeys):
    """Fetches the key set whenever it lacks a key."""

    url: str
    known: dict[str, VerifyingKey] = field(default_factory=dict)

    def find(self, kid: str) -> VerifyingKey | None:
        return self.known.get(kid)

    async def learn(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/.well-known/jwks.json") as answer:
                jwks = await answer.json(content_type=None)
        except aiohttp.ClientError as gone:
            raise KeysUnavailable(str(gone)) from gone
        self.known = {jwk["kid"]: PublishedKey(jwk["kid"], jwk["alg"], read_public_jwk(jwk)) for jwk in jwks["keys"]}
        return True
