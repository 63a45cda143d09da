"""Status lists as verifiers read them (draft-ietf-oauth-status-list §8.3): which a token names, and what it says."""

from dataclasses import dataclass
from math import inf
from typing import Any

from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.jose.status_list import STATUS_LIST_TYPE, decode_bits, status_at
from authcenter.sdk.fetching import LARGEST_DOCUMENT
from authcenter.sdk.signed_document import DocumentRejected, IssuerKeys, read_signed

MOST_BYTES = 1024 * 1024
"""Of a list, unfolded: eight million tokens."""

LEAST_TTL_SECONDS, MOST_TTL_SECONDS = 1.0, 600.0
_TTL_UNSAID = 60.0
_BITS = frozenset({1, 2, 4, 8})


@dataclass(frozen=True, slots=True)
class StatusPlace:
    """Where a token's status stands."""

    uri: str
    index: int


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list whose signature verifies.

    Attributes:
        issued_at, expires_at: Unix seconds; infinite: it does not say.
        ttl: Seconds for which it is used without asking again.
    """

    issued_at: float
    expires_at: float
    ttl: float
    bits: int
    places: bytes

    def status(self, index: int) -> int:
        """0: valid; anything else is not (§7). Raises ``IndexError`` where the list has no such place."""
        return status_at(self.places, self.bits, index)


def status_place(token: AccessToken) -> StatusPlace | None:
    """The place that a token names; None where it has no ``status``.

    Raises:
        TokenRejected: It has one, of another form (§6.2).
    """
    status = token.claims.get("status")
    if status is None:
        return None
    named = status.get("status_list") if isinstance(status, dict) else None
    uri, index = (named.get("uri"), named.get("idx")) if isinstance(named, dict) else (None, None)
    if not isinstance(uri, str) or isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise TokenRejected(Reason.MALFORMED, Rule.TOKEN_MALFORMED, "status names no place in a status list")
    return StatusPlace(uri, index)


async def read_status_list(signed: bytes, uri: str, issuer: str, keys: IssuerKeys, now: float) -> StatusList:
    """Verify a Status List Token that was fetched from ``uri``, and unfold it.

    Args:
        issuer: Whose ``keys`` these are; an ``iss`` must equal it.
        now: Unix seconds.

    Raises:
        DocumentRejected: It is none, another one, or has expired.
        KeysUnavailable: From ``keys``.
    """
    document = await read_signed(signed.decode("latin-1"), STATUS_LIST_TYPE, keys, LARGEST_DOCUMENT)
    claims = document.claims
    if claims.get("sub") != uri:
        raise DocumentRejected(f"it is the list {claims.get('sub')!r:.200}")
    if claims.get("iss", issuer) != issuer:
        raise DocumentRejected(f"issued by {claims.get('iss')!r:.200}")
    issued_at, expires_at = _number(claims, "iat", None), _number(claims, "exp", inf)
    if now >= expires_at:
        raise DocumentRejected(f"expired {now - expires_at:.0f} s ago")
    ttl = min(max(_number(claims, "ttl", _TTL_UNSAID), LEAST_TTL_SECONDS), MOST_TTL_SECONDS)
    bits, places = _unfolded(claims.get("status_list"))
    return StatusList(issued_at, expires_at, ttl, bits, places)


def _unfolded(listed: Any) -> tuple[int, bytes]:
    if not isinstance(listed, dict):
        raise DocumentRejected("no status_list")
    bits, encoded = listed.get("bits"), listed.get("lst")
    if isinstance(bits, bool) or not isinstance(bits, int) or bits not in _BITS or not isinstance(encoded, str):
        raise DocumentRejected("status_list is of another form")
    try:
        return bits, decode_bits(encoded, MOST_BYTES)
    except ValueError as problem:
        raise DocumentRejected(f"lst: {problem!s:.80}") from problem


def _number(claims: dict[str, Any], name: str, unsaid: float | None) -> float:
    if unsaid is not None and name not in claims:
        return unsaid
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 53:
        raise DocumentRejected(f"{name} is no number of seconds")
    return float(value)
