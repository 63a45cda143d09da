"""Documents of the revocation feed, verified: nothing is taken of one that the issuer did not sign."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from authcenter.core.base64url import encode as base64url
from authcenter.sdk.feed_document import DOCUMENT_TYPE, DocumentKind, Entries, unpack
from authcenter.sdk.signed_document import DocumentRejected, IssuerKeys, read_signed

_LARGE_BYTES = 256 * 1024
"""More than this is taken apart beside the event loop."""

_WIDTHS = range(4, 17)


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


async def read_document(signed: str, packed: bytes, issuer: str, keys: IssuerKeys) -> FeedDocument:
    """Verify a document and take it apart.

    Raises:
        FeedRejected: The issuer did not make it so.
        KeysUnavailable: From ``keys``.
    """
    try:
        document = await read_signed(signed, DOCUMENT_TYPE, keys)
    except DocumentRejected as problem:
        raise FeedRejected(str(problem)) from problem
    claims, kid = document.claims, document.kid
    if claims.get("iss") != issuer:
        raise FeedRejected(f"issued by {claims.get('iss')!r:.200}")
    if len(packed) < _LARGE_BYTES:
        return _open(claims, packed, kid)
    return await asyncio.to_thread(_open, claims, packed, kid)


def _open(claims: dict[str, Any], packed: bytes, kid: str) -> FeedDocument:
    if claims.get("sha256") != base64url(hashlib.sha256(packed).digest()):
        raise FeedRejected("the entries are not those that were signed")
    return _typed(claims, packed, kid)


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
