"""ID tokens of other issuers (OpenID Connect Core §3.1.3.7, RFC 8725): every check, in the order of their cost."""

import hmac
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature

from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.rules import Rule
from authcenter.jose.algorithms import Alg
from authcenter.jose.jws import CompactJws, MalformedJws, split

_LONGEST_SUBJECT = 255


class VerifyingKey(Protocol):
    """A public key, for one algorithm."""

    @property
    def alg(self) -> str: ...

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises ``cryptography.exceptions.InvalidSignature``."""
        ...


class PublishedKeys(Protocol):
    """Finds the keys behind a ``jwks_uri``."""

    async def keys_at(self, uri: str, kid: str | None) -> Sequence[VerifyingKey]:
        """Those of that name; all, where none is named. Empty: none are to be had."""
        ...


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say.

    Attributes:
        issuers: Any of these; Google has two.
        since: Unix seconds; where the token says when the person signed in, it must not have been before this.
    """

    issuers: Set[str]
    client_id: str
    nonce: str
    now: float
    leeway: float
    since: float | None = None


async def read_id_token(token: object, keys: PublishedKeys, jwks_uri: str, expected: Expected) -> Mapping[str, Any]:
    """Its claims, ``sub`` among them.

    Raises:
        TokenRejected: It must not be believed.
    """
    if not isinstance(token, str):
        raise _rejected(Reason.MALFORMED, "there is none")
    try:
        jws = split(token)
        await _check_signature(jws, keys, jwks_uri)
        claims = jws.claims()
    except MalformedJws as problem:
        raise _rejected(Reason.MALFORMED, str(problem)) from problem
    _check_parties(claims, expected)
    _check_times(claims, expected)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise _rejected(Reason.BINDING, "nonce is not the one of this attempt")
    return claims


async def _check_signature(jws: CompactJws, keys: PublishedKeys, jwks_uri: str) -> None:
    alg, kid, kind = (jws.header.get(name) for name in ("alg", "kid", "typ"))
    # Whatever else the issuer signs (RFC 8725 §3.11): access tokens, logout tokens.
    if kind is not None and (not isinstance(kind, str) or kind.lower() != "jwt"):
        raise _rejected(Reason.TYPE, f"typ is {_shown(kind)}")
    if not isinstance(alg, str) or alg not in set(Alg):
        raise _rejected(Reason.ALGORITHM, f"alg is {_shown(alg)}")
    if kid is not None and not isinstance(kid, str):
        raise _rejected(Reason.KID, "kid is no text")
    fitting = [key for key in await keys.keys_at(jwks_uri, kid) if key.alg == alg]
    if not fitting:
        raise _rejected(Reason.KID, f"no {alg} key {kid!a:.80} at {jwks_uri!a:.200}")
    for key in fitting:
        try:
            key.verify(jws.signature, jws.signing_input)
        except InvalidSignature:
            continue
        return
    raise _rejected(Reason.SIGNATURE, f"kid {kid!a:.80}, {alg}")


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or issuer not in expected.issuers:
        raise _rejected(Reason.ISSUER, f"iss is {_shown(issuer)}")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise _rejected(Reason.AUDIENCE, f"aud is {_shown(audience)}")
    # §3.1.3.7: further audiences are trusted by nobody here, unless we are who it was made for.
    azp = claims.get("azp", expected.client_id if len(audiences) == 1 else None)
    if azp != expected.client_id:
        raise _rejected(Reason.AUDIENCE, f"azp is {_shown(azp)}, of {len(audiences)} audiences")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise _rejected(Reason.MALFORMED, "sub is no text that an id could be")


def _check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    present = {name: claims[name] for name in ("exp", "iat", "nbf", "auth_time") if name in claims}
    if any(isinstance(at, bool) or not isinstance(at, int | float) for at in present.values()):
        raise _rejected(Reason.MALFORMED, "a time is no number")
    if "exp" not in present or "iat" not in present:
        raise _rejected(Reason.MALFORMED, "exp or iat is missing")
    if present["exp"] <= expected.now - expected.leeway:
        raise _rejected(Reason.EXPIRED, "exp has passed")
    if present["iat"] > expected.now + expected.leeway:
        raise _rejected(Reason.ISSUED_IN_FUTURE, "iat is to come")
    if present.get("nbf", expected.now) > expected.now + expected.leeway:
        raise _rejected(Reason.NOT_YET_VALID, "nbf is to come")
    since = expected.since
    if since is not None and present.get("auth_time", since) < since - expected.leeway:
        raise _rejected(Reason.BINDING, "auth_time is of before this attempt, which was to be afresh")


def _shown(value: object) -> str:
    """A value for a hint. Not the text of just anything: what is nested deeply enough has none."""
    return f"{value!a:.200}" if isinstance(value, str) else type(value).__name__


def _rejected(reason: Reason, hint: str) -> TokenRejected:
    return TokenRejected(reason, Rule.PROVIDER_ID_TOKEN, hint)
