"""A JWK set as it comes from outside (RFC 7517 §5): the keys of it that may verify, each bound to one algorithm.

A key that cannot be used is left out, so that one of an unknown kind does not cost the others (§5 says so). A document
that is no JWK set at all is refused whole.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.jose.algorithms import ALGORITHMS, Alg, Algorithm, PublicKey
from authcenter.jose.jwk import PRIVATE_MEMBERS, is_of_known_kind, read_public_jwk
from authcenter.jose.strict_json import parse_object

MOST_KEYS = 64


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A public key of the set."""

    kid: str
    alg: str
    public: PublicKey
    algorithm: Algorithm

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises ``cryptography.exceptions.InvalidSignature``."""
        self.algorithm.verify(self.public, signature, data)


def read_key_set(document: bytes) -> Mapping[str, PublishedKey]:
    """The usable keys by ``kid``; there may be none.

    Left out are keys without ``kid`` or ``alg``, of an algorithm that is not in the table, too weak, not for verifying
    signatures (``use``, ``key_ops``), that give away private members, and all that share one ``kid``.

    Raises:
        ValueError: Not a JWK set, or more than ``MOST_KEYS`` keys.
    """
    entries = parse_object(document).get("keys")
    if not isinstance(entries, list):
        raise ValueError("keys is not an array")  # noqa: TRY004 - of the document, not of an argument
    if len(entries) > MOST_KEYS:
        raise ValueError(f"over {MOST_KEYS} keys")
    jwks = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("kid"), str)]
    times = Counter(jwk["kid"] for jwk in jwks)
    keys = (_read(jwk) for jwk in jwks if times[jwk["kid"]] == 1)
    return {key.kid: key for key in keys if key is not None}


def _read(jwk: dict[str, Any]) -> PublishedKey | None:
    if jwk.keys() & PRIVATE_MEMBERS or not _verifies_signatures(jwk) or not is_of_known_kind(jwk):
        return None
    try:
        public = read_public_jwk(jwk)
    except ValueError:
        return None
    alg = Alg(jwk["alg"])
    return PublishedKey(jwk["kid"], alg.value, public, ALGORITHMS[alg])


def _verifies_signatures(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
