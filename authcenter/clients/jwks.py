"""The public keys that a client registered by value (``jwks``, RFC 7591 §2); it signs with the private halves."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from authcenter.core.client import Client
from authcenter.core.wire_json import encode
from authcenter.jose.algorithms import ALGORITHMS, Alg, PublicKey
from authcenter.jose.jwk import read_public_jwk

_MOST_KEYS = 20


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A public key of a client, for one algorithm.

    Attributes:
        kid: None where the client gave it no name.
    """

    alg: Alg
    kid: str | None
    public: PublicKey

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises ``cryptography.exceptions.InvalidSignature``."""
        ALGORITHMS[self.alg].verify(self.public, signature, data)


@dataclass(frozen=True, slots=True)
class KeysByValue:
    """Finds keys in what the client registered itself."""

    async def keys_of(self, client: Client, kid: str | None) -> Sequence[ClientKey]:
        """The client's keys of that name; all of them, where none is named. What is no key of ours is left out."""
        if client.relying_party.jwks is None:
            return ()
        keys = _read(encode(client.relying_party.jwks))
        return tuple(key for key in keys if kid is None or key.kid == kid)


@lru_cache(maxsize=256)
def _read(written: bytes) -> tuple[ClientKey, ...]:
    """By what is written, not by client: reading a key takes far longer than comparing its text."""
    listed = json.loads(written).get("keys")
    if not isinstance(listed, list):
        return ()
    return tuple(key for jwk in listed[:_MOST_KEYS] if isinstance(jwk, dict) for key in _keys(jwk))


def _keys(jwk: dict[str, Any]) -> list[ClientKey]:
    """One for each algorithm that the key may be used with: RSA keys that name none serve two."""
    kid, named = jwk.get("kid"), jwk.get("alg")
    if jwk.get("use", "sig") != "sig" or (kid is not None and not isinstance(kid, str)):
        return []
    keys = []
    for alg in Alg if named is None else [alg for alg in Alg if alg == named]:
        try:
            keys.append(ClientKey(alg, kid, read_public_jwk({**jwk, "alg": alg})))
        except ValueError:
            continue
    return keys
