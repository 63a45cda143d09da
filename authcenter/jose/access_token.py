"""JWT access tokens (RFC 9068): the claims, each with its type, and the checks that need no state."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature

from authcenter.core.checks import Fact, failed
from authcenter.core.digest import signing_input_digest
from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.jose.jws import CompactJws, MalformedJws, split

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type
_TYPES = frozenset({ACCESS_TOKEN_TYPE, f"application/{ACCESS_TOKEN_TYPE}"})
_TEXT_CLAIMS = ("iss", "sub", "client_id", "jti")


class VerifyingKey(Protocol):
    """A public key, bound to one algorithm."""

    @property
    def kid(self) -> str: ...

    @property
    def alg(self) -> str: ...

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises ``cryptography.exceptions.InvalidSignature``."""
        ...


def read_issued(token: str, issuer: str, find_key: Callable[[str], VerifyingKey | None]) -> AccessToken:
    """Check form, type, key, algorithm, signature, claims and issuer: whether ``issuer`` made ``token``.

    Lifetime, revocation, audience and binding are not looked at.

    Args:
        find_key: The key of a ``kid``, or None where it is not known.

    Raises:
        TokenRejected: It did not.
    """
    try:
        jws = split(token)
    except MalformedJws as problem:
        raise _malformed(str(problem)) from problem
    check_type(jws.header)
    kid = jws.header.get("kid")
    key = find_key(kid) if isinstance(kid, str) else None
    if key is None:
        raise TokenRejected(Reason.KID, Rule.TOKEN_KID, f"kid is {kid!r:.80}")
    if jws.header.get("alg") != key.alg:
        raise TokenRejected(Reason.ALGORITHM, Rule.TOKEN_ALGORITHM, f"alg is {jws.header.get('alg')!r:.20}")
    try:
        key.verify(jws.signature, jws.signing_input)
    except InvalidSignature as problem:
        raise TokenRejected(Reason.SIGNATURE, Rule.TOKEN_SIGNATURE, f"by the key {key.kid}") from problem
    held = read_claims(token, jws, key.kid)
    check_issuer(held, issuer)
    return held


def check_type(header: Mapping[str, Any]) -> None:
    """Token types never stand in for each other (RFC 9068 §4, RFC 8725 §3.11).

    Raises:
        TokenRejected: by ``TOKEN_TYPE``.
    """
    token_type = header.get("typ")
    if not isinstance(token_type, str) or token_type.lower() not in _TYPES:
        raise TokenRejected(Reason.TYPE, Rule.TOKEN_TYPE, f"typ is {token_type!r:.40}")


def read_claims(token: str, jws: CompactJws, kid: str) -> AccessToken:
    """Type the claims of a token whose signature has been verified.

    Raises:
        TokenRejected: by ``TOKEN_MALFORMED``, where one is missing or of another type; by ``TOKEN_AUDIENCE``, where it
            is ``aud`` that is of another type or stands twice.
    """
    try:
        claims = jws.claims()
    except MalformedJws as problem:
        if problem.repeated == "aud":
            raise TokenRejected(Reason.AUDIENCE, Rule.TOKEN_AUDIENCE, "aud stands twice") from problem
        raise _malformed(str(problem)) from problem
    for name in _TEXT_CLAIMS:
        if not isinstance(claims.get(name), str):
            raise _malformed(f"{name} is not a string")
    for name in ("exp", "iat"):
        _check_instant(name, claims.get(name))
    if "nbf" in claims:
        _check_instant("nbf", claims["nbf"])
    return AccessToken(
        claims=claims,
        client_id=claims["client_id"],
        subject=claims["sub"],
        audience=_audience(claims.get("aud")),
        family=_optional_text(claims, "fam"),
        session=_optional_text(claims, "sid"),
        jti=claims["jti"],
        kid=kid,
        issued_at=int(claims["iat"]),
        expires_at=int(claims["exp"]),
        digest=signing_input_digest(token),
    )


def check_issuer(token: AccessToken, issuer: str) -> None:
    """The issuer is compared as a plain string (RFC 9068 §4).

    Raises:
        TokenRejected: by ``TOKEN_ISSUER``.
    """
    if token.claims["iss"] != issuer:
        raise TokenRejected(Reason.ISSUER, Rule.TOKEN_ISSUER, f"issued by {token.claims['iss']!r:.200}")


def check_lifetime(token: AccessToken, now: float, leeway: int) -> None:
    """``exp``, ``nbf`` and ``iat`` against the clock; ``now`` in Unix seconds, ``leeway`` in seconds.

    Raises:
        TokenRejected: with the number of seconds in the hint.
    """
    if now >= token.expires_at + leeway:
        late = timedelta(seconds=int(now) - token.expires_at)
        _lifetime_failed(
            token, now, leeway, expired_at=_told(token.expires_at), late_seconds=int(now) - token.expires_at
        )
        raise TokenRejected(Reason.EXPIRED, Rule.TOKEN_EXPIRED, f"expired {late} ago")
    if now < (begins := token.claims.get("nbf", 0)) - leeway:
        _lifetime_failed(token, now, leeway, valid_from=_told(begins), early_seconds=math.ceil(begins - now))
        raise TokenRejected(Reason.NOT_YET_VALID, Rule.TOKEN_NOT_YET_VALID, f"valid from {token.claims['nbf']}")
    if now < token.issued_at - leeway:
        early = token.issued_at - now
        _lifetime_failed(token, now, leeway, issued_at=_told(token.issued_at), early_seconds=math.ceil(early))
        raise TokenRejected(Reason.ISSUED_IN_FUTURE, Rule.TOKEN_ISSUED_IN_FUTURE, f"issued {early:.0f} s ahead")


def _lifetime_failed(token: AccessToken, now: float, leeway: int, **facts: Fact) -> None:
    failed("token_lifetime", jti=token.jti, client_id=token.client_id, clock=_told(now), leeway_seconds=leeway, **facts)


def _told(at: float) -> str:
    """Unix seconds for a person; a number that no calendar reaches is told as it came."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return str(at)


def _check_instant(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 53:
        raise _malformed(f"{name} is not a NumericDate")


def _audience(value: object) -> tuple[str, ...]:
    if isinstance(value, str) and value:
        return (value,)
    if isinstance(value, list) and value and all(isinstance(one, str) and one for one in value):
        return tuple(value)
    raise TokenRejected(Reason.AUDIENCE, Rule.TOKEN_AUDIENCE, "aud is neither a string nor an array of strings")


def _optional_text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise _malformed(f"{name} is not a string")
    return value


def _malformed(hint: str) -> TokenRejected:
    return TokenRejected(Reason.MALFORMED, Rule.TOKEN_MALFORMED, hint)
