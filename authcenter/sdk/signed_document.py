"""What an issuer signs besides tokens: documents that are JWS, verified by the keys that its tokens are verified by."""

import contextlib
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature

from authcenter.jose.access_token import VerifyingKey
from authcenter.jose.jws import MAX_TOKEN_CHARACTERS, CompactJws, MalformedJws, split
from authcenter.sdk.verification import KeysUnavailable


class IssuerKeys(Protocol):
    """Where the issuer's public keys come from: what a verifier of its tokens has already."""

    def find(self, kid: str) -> VerifyingKey | None:
        """The key, or None where the set at hand has none of that name.

        Raises:
            KeysUnavailable: There has never been a set.
        """
        ...

    async def learn(self) -> bool:
        """Look for newer keys, if that is allowed now.

        Returns:
            Whether anybody looked: only then does finding again make sense.

        Raises:
            KeysUnavailable: There has never been a set, and there is none now.
        """
        ...


class DocumentRejected(Exception):
    """A document that must not be taken. The text is for operators."""


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document whose signature verifies.

    Attributes:
        kid: The key that signed it.
    """

    kid: str
    claims: dict[str, Any]


async def read_signed(
    signed: str, kind: str, keys: IssuerKeys, most_characters: int = MAX_TOKEN_CHARACTERS
) -> SignedDocument:
    """Check form, type, key, algorithm and signature.

    Args:
        kind: The ``typ`` it must have, so that no document stands in for another.

    Raises:
        DocumentRejected: One of them does not hold.
        KeysUnavailable: From ``keys``.
    """
    try:
        jws = split(signed, most_characters)
        kid = await _verify(jws, kind, keys)
        return SignedDocument(kid, jws.claims())
    except MalformedJws as problem:
        raise DocumentRejected(f"malformed: {problem}") from problem


async def _verify(jws: CompactJws, kind: str, keys: IssuerKeys) -> str:
    if jws.header.get("typ") != kind:
        raise DocumentRejected(f"typ is {jws.header.get('typ')!r:.40}")
    kid = jws.header.get("kid")
    if not isinstance(kid, str):
        raise DocumentRejected("no kid")
    key = await _key(kid, keys)
    if jws.header.get("alg") != key.alg:
        raise DocumentRejected(f"alg is {jws.header.get('alg')!r:.20}")
    try:
        key.verify(jws.signature, jws.signing_input)
    except InvalidSignature as problem:
        raise DocumentRejected(f"the signature is not by the key {kid:.80}") from problem
    return kid


async def _key(kid: str, keys: IssuerKeys) -> VerifyingKey:
    found = None
    with contextlib.suppress(KeysUnavailable):
        found = keys.find(kid)
    if found is None and await keys.learn():
        found = keys.find(kid)
    if found is None:
        raise DocumentRejected(f"the issuer has no key {kid!a:.80}")
    return found
