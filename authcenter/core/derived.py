"""Server secrets, derived from the root secrets by HKDF (RFC 5869), each with its own label.

Every HMAC or sealed value names the root it was made under by a 4-byte id, so that several roots can be live: the first
makes, all verify.
"""

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12
_KEY_ID_BYTES = 4


def hkdf(secret: bytes, label: str, length: int = 32) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=label.encode()).derive(secret)


def seal(key: bytes, plaintext: bytes, bound_to: bytes) -> bytes:
    """AES-256-GCM under a fresh nonce, which goes in front. ``bound_to`` is authenticated, not carried."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to)


def unseal(key: bytes, sealed: bytes, bound_to: bytes) -> bytes | None:
    """What ``seal`` was given, or None where key, text or ``bound_to`` are not the same."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class MacKeys:
    """HMAC-SHA-256 under one derived secret per root. Written ``<key id>.<mac>``, both hexadecimal.

    Attributes:
        keys: Keyed once, copied at each use: ``hmac.digest`` keys anew, which takes twice the time of the rest.
    """

    keys: tuple[tuple[str, HMAC], ...]

    @classmethod
    def derive(cls, roots: Sequence[bytes], label: str) -> Self:
        if not roots:
            raise ValueError("no root secret")
        return cls(
            tuple((hkdf(root, "key id", _KEY_ID_BYTES).hex(), HMAC(hkdf(root, label), SHA256())) for root in roots)
        )

    def make(self, data: bytes) -> str:
        key_id, key = self.keys[0]
        return f"{key_id}.{_mac(key, data)}"

    def verify(self, data: bytes, stored: str) -> bool:
        """Whether ``stored`` was made of ``data``, compared in constant time; False where its key is gone."""
        key_id, _, mac = stored.partition(".")
        for candidate, key in self.keys:
            if candidate == key_id:
                return hmac.compare_digest(_mac(key, data), mac)
        return False


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """AES-256-GCM under one derived secret per root. Sealed: 4 bytes of key id, nonce, ciphertext."""

    keys: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def derive(cls, roots: Sequence[bytes], label: str) -> Self:
        if not roots:
            raise ValueError("no root secret")
        return cls(tuple((hkdf(root, "key id", _KEY_ID_BYTES), hkdf(root, label)) for root in roots))

    def seal(self, plaintext: bytes, bound_to: bytes) -> bytes:
        key_id, key = self.keys[0]
        return key_id + seal(key, plaintext, bound_to)

    def is_newest(self, sealed: bytes) -> bool:
        """Whether it was sealed under the key that seals now."""
        return sealed.startswith(self.keys[0][0])

    def open(self, sealed: bytes, bound_to: bytes) -> bytes | None:
        """What was sealed, or None: altered, bound to something else, or its key is gone."""
        for key_id, key in self.keys:
            if sealed.startswith(key_id):
                return unseal(key, sealed[_KEY_ID_BYTES:], bound_to)
        return None


def _mac(key: HMAC, data: bytes) -> str:
    keyed = key.copy()
    keyed.update(data)
    return keyed.finalize().hex()
