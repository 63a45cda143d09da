"""The key ring: an immutable snapshot of the signing keys, swapped whole."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from authcenter.core import base64url
from authcenter.core.errors import StoreUnavailable
from authcenter.core.wire_json import encode
from authcenter.jose.algorithms import ALGORITHMS, Alg, PrivateKey, PublicKey
from authcenter.jose.jws import write_object

LONGEST_TOKEN = timedelta(days=1)
"""No access token may live longer (``tokens.access_ttl``): a superseded key verifies for that time and an hour more."""
RETIREMENT = LONGEST_TOKEN + timedelta(hours=1)


class KeyState(StrEnum):
    """A key's place in the ring."""

    NEXT = "next"
    CURRENT = "current"
    RETIRED = "retired"
    DROPPED = "dropped"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key, opened.

    Attributes:
        private: None where it only verifies, or where no passphrase opens it.
    """

    kid: str
    alg: Alg
    public: PublicKey
    public_jwk: Mapping[str, str]
    private: PrivateKey | None
    created_at: datetime
    signs_from: datetime
    retired_at: datetime | None
    revoked_at: datetime | None

    def sign(self, data: bytes, digest: bytes | None = None) -> bytes:
        """``digest``: the SHA-256 of ``data``, where somebody has it already."""
        algorithm = ALGORITHMS[self.alg]
        if digest is None or algorithm.sign_digest is None:
            return algorithm.sign(self.private, data)
        return algorithm.sign_digest(self.private, digest)

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises ``cryptography.exceptions.InvalidSignature``."""
        ALGORITHMS[self.alg].verify(self.public, signature, data)

    @property
    def place(self) -> tuple[datetime, datetime, str]:
        """Of two keys of an algorithm that may sign, the one with the higher place does."""
        return self.signs_from, self.created_at, self.kid

    def header_segment(self, token_type: str) -> str:
        """The protected header of what it signs, encoded."""
        return write_object({"alg": self.alg, "typ": token_type, "kid": self.kid})

    def jwt(self, claims: Mapping[str, Any], token_type: str = "JWT") -> str:  # noqa: S107 - a media type
        """A signed JWT of ``claims`` (RFC 7519 §3.1)."""
        signing_input = f"{self.header_segment(token_type)}.{write_object(claims)}"
        return f"{signing_input}.{base64url.encode(self.sign(signing_input.encode('ascii')))}"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Every key and its state at one instant. A key is bound to one algorithm.

    Attributes:
        verifying: Keys a token may be signed with: current, retired, and next (another instance's clock may be ahead).
        jwks: The JWK set, encoded (RFC 7517 §5). ``etag`` is its strong entity tag.
        changes_at: When a key next changes state by time alone.
    """

    states: Mapping[str, KeyState]
    keys: Mapping[str, SigningKey]
    verifying: Mapping[str, SigningKey]
    signing: Mapping[str, SigningKey]
    jwks: bytes
    etag: str
    changes_at: datetime | None

    @classmethod
    def of(cls, keys: Iterable[SigningKey], now: datetime) -> Self:
        ordered = sorted(keys, key=lambda key: key.place)
        states: dict[str, KeyState] = {}
        instants: list[datetime] = []
        signing: dict[str, SigningKey] = {}
        for key in ordered:
            states[key.kid], ends = _state(key, ordered, now)
            instants += [instant for instant in (key.signs_from, ends) if instant is not None and instant > now]
            if states[key.kid] is KeyState.CURRENT and key.private is not None:
                signing[key.alg] = key
        published = (KeyState.NEXT, KeyState.CURRENT, KeyState.RETIRED)
        verifying = {key.kid: key for key in ordered if states[key.kid] in published}
        jwks = encode({"keys": [dict(key.public_jwk) for key in verifying.values()]})
        return cls(
            states=states,
            keys={key.kid: key for key in ordered},
            verifying=verifying,
            signing=signing,
            jwks=jwks,
            etag=f'"{hashlib.sha256(jwks).hexdigest()[:32]}"',
            changes_at=min(instants, default=None),
        )

    def signer(self, alg: str) -> SigningKey:
        """The key that signs with ``alg`` now.

        Raises:
            StoreUnavailable: There is none.
        """
        key = self.signing.get(alg)
        if key is None:
            raise StoreUnavailable(f"no current signing key for {alg}")
        return key


EMPTY_RING = KeyRing({}, {}, {}, {}, b'{"keys":[]}', '"empty"', None)


def superseded_at(key: SigningKey, ring: Iterable[SigningKey], now: datetime) -> datetime | None:
    """When another key took over signing, or the key was retired; None where neither has come about."""
    return min(_ends_of_signing(key, ring, now), default=None)


def _state(key: SigningKey, ring: Iterable[SigningKey], now: datetime) -> tuple[KeyState, datetime | None]:
    """The key's state, and when it ends by time alone."""
    if key.revoked_at is not None:
        return KeyState.REVOKED, None
    if key.signs_from > now and key.retired_at is None:
        return KeyState.NEXT, key.signs_from
    ended_at = superseded_at(key, ring, now)
    if ended_at is None:
        return KeyState.CURRENT, None
    dropped_at = ended_at + RETIREMENT
    return (KeyState.DROPPED, None) if dropped_at <= now else (KeyState.RETIRED, dropped_at)


def _ends_of_signing(key: SigningKey, ring: Iterable[SigningKey], now: datetime) -> Iterable[datetime]:
    if key.retired_at is not None:
        yield key.retired_at
    for other in ring:
        usable = other.alg == key.alg and other.revoked_at is None and other.retired_at is None
        if usable and other.place > key.place and other.signs_from <= now:
            yield other.signs_from
