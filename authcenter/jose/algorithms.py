"""The signature algorithms (RFC 7518 §3, RFC 8037). What is not in this table does not exist."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

PrivateKey: TypeAlias = Any
PublicKey: TypeAlias = Any

RSA_BITS = 2048
_P256_BYTES = 32
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SHA256 = SHA256()
_HASHED = Prehashed(_SHA256)
_ES256, _ES256_HASHED = ec.ECDSA(_SHA256), ec.ECDSA(_HASHED)
_PKCS1 = padding.PKCS1v15()
_PSS = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=_SHA256.digest_size)


class Alg(StrEnum):
    """A signature algorithm, by its registered name."""

    ES256 = "ES256"
    RS256 = "RS256"
    PS256 = "PS256"
    EDDSA = "EdDSA"


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How one algorithm signs and verifies.

    Attributes:
        sign_digest: As ``sign``, of what has this SHA-256: whoever needs it, too, has it made once. None: the algorithm
            signs no digest.
        verify: Takes public key, signature and data; raises ``InvalidSignature``.
        fits: Whether a private or public key is of this algorithm's type and strength.
    """

    generate: Callable[[], PrivateKey]
    sign: Callable[[PrivateKey, bytes], bytes]
    sign_digest: Callable[[PrivateKey, bytes], bytes] | None
    verify: Callable[[PublicKey, bytes, bytes], None]
    fits: Callable[[PrivateKey | PublicKey], bool]


def _raw(der: bytes) -> bytes:
    """RFC 7518 §3.4: both numbers at full length, out of ``SEQUENCE { INTEGER r, INTEGER s }``.

    Cut out by their lengths, each one byte at P-256: the library would make Python numbers of them in between.
    """
    end_of_r = 4 + der[3]
    return _full_length(der[4:end_of_r]) + _full_length(der[end_of_r + 2 :])


def _full_length(integer: bytes) -> bytes:
    """A DER integer drops leading zeros, and puts one before a first bit that would be a sign."""
    return integer[-_P256_BYTES:].rjust(_P256_BYTES, b"\0")


def _verify_es256(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> None:
    if len(signature) != 2 * _P256_BYTES:
        raise InvalidSignature
    r, s = int.from_bytes(signature[:_P256_BYTES], "big"), int.from_bytes(signature[_P256_BYTES:], "big")
    if not (0 < r < _P256_ORDER and 0 < s < _P256_ORDER):
        raise InvalidSignature
    key.verify(encode_dss_signature(r, s), data, _ES256)


def _is_p256(key: object) -> bool:
    kinds = (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)
    return isinstance(key, kinds) and isinstance(key.curve, ec.SECP256R1)


def _is_rsa(key: object) -> bool:
    return isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) and key.key_size >= RSA_BITS


def _generate_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


ALGORITHMS: Mapping[Alg, Algorithm] = {
    Alg.ES256: Algorithm(
        generate=lambda: ec.generate_private_key(ec.SECP256R1()),
        sign=lambda key, data: _raw(key.sign(data, _ES256)),
        sign_digest=lambda key, digest: _raw(key.sign(digest, _ES256_HASHED)),
        verify=_verify_es256,
        fits=_is_p256,
    ),
    Alg.RS256: Algorithm(
        generate=_generate_rsa,
        sign=lambda key, data: key.sign(data, _PKCS1, _SHA256),
        sign_digest=lambda key, digest: key.sign(digest, _PKCS1, _HASHED),
        verify=lambda key, signature, data: key.verify(signature, data, _PKCS1, _SHA256),
        fits=_is_rsa,
    ),
    Alg.PS256: Algorithm(
        generate=_generate_rsa,
        sign=lambda key, data: key.sign(data, _PSS, _SHA256),
        sign_digest=lambda key, digest: key.sign(digest, _PSS, _HASHED),
        verify=lambda key, signature, data: key.verify(signature, data, _PSS, _SHA256),
        fits=_is_rsa,
    ),
    Alg.EDDSA: Algorithm(
        generate=ed25519.Ed25519PrivateKey.generate,
        sign=lambda key, data: key.sign(data),
        sign_digest=None,
        verify=lambda key, signature, data: key.verify(signature, data),
        fits=lambda key: isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey),
    ),
}
