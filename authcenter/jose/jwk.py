"""Public keys as JSON Web Keys (RFC 7517, 7518 §6, 8037) and their thumbprints (RFC 7638)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authcenter.core import base64url
from authcenter.core.ids import Kid
from authcenter.jose.algorithms import ALGORITHMS, Alg, PublicKey

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""What only a private or a symmetric key has (RFC 7518 §6)."""

_P256_BYTES = 32
_LONGEST_MODULUS = 1_366
"""In base64url: 8,192 bits. The cost of a signature check grows with the square."""
_CURVES = {"EC": "P-256", "OKP": "Ed25519", "RSA": None}


def public_members(key: PublicKey) -> dict[str, str]:
    """The members that make the key, no others.

    Raises:
        TypeError: Not a key of one of our algorithms.
    """
    match key:
        case ec.EllipticCurvePublicKey():
            point = key.public_numbers()
            return {"kty": "EC", "crv": "P-256", "x": _fixed(point.x), "y": _fixed(point.y)}
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            return {"kty": "RSA", "n": _shortest(numbers.n), "e": _shortest(numbers.e)}
        case ed25519.Ed25519PublicKey():
            raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(raw)}
        case _:
            raise TypeError(f"no JWK form for {type(key).__name__}")


def thumbprint(key: PublicKey) -> Kid:
    """The key's ``kid``: SHA-256 over its required members in lexicographic order (RFC 7638 §3)."""
    canonical = json.dumps(public_members(key), sort_keys=True, separators=(",", ":")).encode()
    return Kid(base64url.encode(hashlib.sha256(canonical).digest()))


def signature_jwk(key: PublicKey, alg: Alg) -> dict[str, str]:
    """The key as it is published: bound to one algorithm and to signatures."""
    return public_members(key) | {"kid": thumbprint(key), "use": "sig", "alg": alg}


def read_public_jwk(jwk: dict[str, str]) -> PublicKey:
    """The key of a JWK that ``signature_jwk`` wrote.

    Raises:
        ValueError: A member is missing or is not of the key's type, or the key does not fit its ``alg``.
    """
    try:
        key = _read(jwk)
        fits = ALGORITHMS[Alg(jwk["alg"])].fits(key)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"not a public JWK: {problem}") from problem
    if not fits:
        raise ValueError("the key does not fit its alg")
    return key


def is_of_known_kind(jwk: Mapping[str, Any]) -> bool:
    """Whether a JWK of somebody else's is of a kind and curve that our algorithms know, and none too dear to use."""
    kind, modulus = jwk.get("kty"), jwk.get("n", "")
    if not isinstance(kind, str) or kind not in _CURVES or jwk.get("crv") != _CURVES[kind]:
        return False
    return isinstance(modulus, str) and len(modulus) <= _LONGEST_MODULUS


def _read(jwk: dict[str, str]) -> PublicKey:
    match jwk["kty"]:
        case "EC":
            return ec.EllipticCurvePublicNumbers(_int(jwk["x"]), _int(jwk["y"]), ec.SECP256R1()).public_key()
        case "RSA":
            return rsa.RSAPublicNumbers(_int(jwk["e"]), _int(jwk["n"])).public_key()
        case "OKP":
            return ed25519.Ed25519PublicKey.from_public_bytes(base64url.decode(jwk["x"]))
        case kty:
            raise ValueError(f"unknown kty {kty!r:.20}")


def _int(text: str) -> int:
    return int.from_bytes(base64url.decode(text), "big")


def _fixed(number: int) -> str:
    return base64url.encode(number.to_bytes(_P256_BYTES, "big"))


def _shortest(number: int) -> str:
    return base64url.encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
