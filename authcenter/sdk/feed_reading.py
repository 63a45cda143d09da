"""Documents of the revocation feed, verified: nothing is taken of one that the issuer did not sign."""

import asyncio
import contextlib
import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature

from authcenter.core.base64url import encode as base64url
from authcenter.jose.access_token import VerifyingKey
from authcenter.jose.jws import CompactJws, MalformedJws, split
from authcenter.sdk.feed_document import DOCUMENT_TYPE, DocumentKind, Entries, unpack
from authcenter.sdk.verification import KeysUnavailable

_LARGE_BYTES = 256 * 1024
"""More than this is taken apart beside the event loop."""

_WIDTHS = range(4, 17)


class FeedKeys(Protocol):
    """Where the issuer's public keys come from: what a verifier of its tokens has already."""

    def find(self, kid: str) -> VerifyingKey | None:
        """The key, or None where none of that name is known.

        Raises:
            KeysUnavailable: No key has ever been known.
        """
        ...

    async def learn(self) -> bool:
        """Look for newer keys, if that is allowed now; whether anybody looked.

        Raises:
            KeysUnavailable: No key is known, and the issuer does not answer.
        """
        ...


class FeedRejected(Exception):
    """A document that must not be taken: of another issuer, altered, or older than what is known."""


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A document whose signature verifies.

    Attributes:
        kid: The key that signed it.
        issued_at, as_of: Unix seconds: when it was signed, and up to when its signer knew everything.
        cursor: Where its reader is then.
        after: The cursor that it goes on from; empty for a snapshot.
        size: Bytes of the entries on the wire.
    """

    kind: DocumentKind
    kid: str
    issued_at: float
    as_of: float
    cursor: str
    after: str
    width: int
    entries: Entries
    size: int


async def read_document(signed: str, packed: bytes, issuer: str, keys: FeedKeys) -> FeedDocument:
    """Verify a document and take it apart.

    Raises:
        FeedRejected: The issuer did not make it so.
        KeysUnavailable: From ``keys``.
    """
    try:
        jws = split(signed)
    except MalformedJws as problem:
        raise FeedRejected(f"malformed: {problem}") from problem
    kid = await _verify(jws, keys)
    try:
        claims = jws.claims()
    except MalformedJws as problem:
        raise FeedRejected(f"malformed: {problem}") from problem
    if claims.get("iss") != issuer:
        raise FeedRejected(f"issued by {claims.get('iss')!r:.200}")
    if len(packed) < _LARGE_BYTES:
        return _open(claims, packed, kid)
    return await asyncio.to_thread(_open, claims, packed, kid)


def _open(claims: dict[str, Any], packed: bytes, kid: str) -> FeedDocument:
    if claims.get("sha256") != base64url(hashlib.sha256(packed).digest()):
        raise FeedRejected("the entries are not those that were signed")
    return _typed(claims, packed, kid)


async def _verify(jws: CompactJws, keys: FeedKeys) -> str:
    if jws.header.get("typ") != DOCUMENT_TYPE:
        raise FeedRejected(f"typ is {jws.header.get('typ')!r:.40}")
    kid = jws.header.get("kid")
    if not isinstance(kid, str):
        raise FeedRejected("no kid")
    key = await _key(kid, keys)
    if jws.header.get("alg") != key.alg:
        raise FeedRejected(f"alg is {jws.header.get('alg')!r:.20}")
    try:
        key.verify(jws.signature, jws.signing_input)
    except InvalidSignature as problem:
        raise FeedRejected(f"the signature is not by the key {kid:.80}") from problem
    return kid


async def _key(kid: str, keys: FeedKeys) -> VerifyingKey:
    found = None
    with contextlib.suppress(KeysUnavailable):
        found = keys.find(kid)
    if found is None and await keys.learn():
        found = keys.find(kid)
    if found is None:
        raise FeedRejected(f"the issuer has no key {kid!a:.80}")
    return found


def _typed(claims: dict[str, Any], packed: bytes, kid: str) -> FeedDocument:
    width = claims.get("short_hash_bytes")
    if isinstance(width, bool) or not isinstance(width, int) or width not in _WIDTHS:
        raise FeedRejected(f"short_hash_bytes is {width!r:.20}")
    try:
        kind = DocumentKind(claims.get("kind", ""))
        entries = unpack(width, packed) if packed else Entries()
    except ValueError as problem:
        raise FeedRejected(f"not understood: {problem!s:.80}") from problem
    return FeedDocument(
        kind=kind,
        kid=kid,
        issued_at=_instant(claims, "iat"),
        as_of=_instant(claims, "as_of"),
        cursor=_text(claims, "cursor"),
        after="" if kind is DocumentKind.SNAPSHOT else _text(claims, "after"),
        width=width,
        entries=entries,
        size=len(packed),
    )


def _instant(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 53:
        raise FeedRejected(f"{name} is not an instant")
    return float(value)


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    # It goes into a URL and a header of the next request.
    if not isinstance(value, str) or not value or len(value) > 100 or not value.isascii() or not value.isprintable():
        raise FeedRejected(f"{name} is not a cursor")
    return value
