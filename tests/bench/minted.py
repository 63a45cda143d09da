"""Access tokens as the server makes them, minted outside it, each with what the bare signature check needs."""

import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

ISSUER: Final = "https://issuer.bench.test"
AUDIENCE: Final = "https://api.bench.test"
_COORDINATE_BYTES: Final = 32

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Minted:
    """Tokens that nobody has seen yet, and the same signatures in the form that ``cryptography`` takes."""

    tokens: list[str]
    signed: list[tuple[bytes, bytes]]
    verify: Callable[[bytes, bytes], None]


def private_key(algorithm: str) -> PrivateKey:
    """A fresh key for the algorithm."""
    match algorithm:
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def mint(key: PrivateKey, kid: str, algorithm: str, count: int) -> Minted:
    """``count`` different tokens with the claims of a client's own token."""
    tokens, signed = [], []
    header = _segment({"alg": algorithm, "typ": "at+jwt", "kid": kid})
    for _ in range(count):
        data = f"{header}.{_segment(_claims())}".encode()
        signature, raw = _sign(key, data)
        tokens.append(f"{data.decode()}.{_encode(raw)}")
        signed.append((signature, data))
    return Minted(tokens, signed, _bare_check(key))


def _claims() -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "sub": "bench",
        "aud": AUDIENCE,
        "exp": now + 120 + secrets.randbelow(720),
        "iat": now,
        "nbf": now,
        "jti": secrets.token_urlsafe(16),
        "client_id": "bench",
        "scope": "read",
        "fam": secrets.token_urlsafe(16),
    }


def _sign(key: PrivateKey, data: bytes) -> tuple[bytes, bytes]:
    """The signature as ``cryptography`` has it, and as JWS has it (RFC 7518 §3.4: r and s side by side)."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        signature = key.sign(data, ec.ECDSA(SHA256()))
        return signature, b"".join(n.to_bytes(_COORDINATE_BYTES, "big") for n in decode_dss_signature(signature))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(data)
    else:
        signature = key.sign(data, padding.PKCS1v15(), SHA256())
    return signature, signature


def _bare_check(key: PrivateKey) -> Callable[[bytes, bytes], None]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return partial(key.public_key().verify, signature_algorithm=ec.ECDSA(SHA256()))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.public_key().verify
    return partial(key.public_key().verify, padding=padding.PKCS1v15(), algorithm=SHA256())


def _segment(value: dict[str, Any]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
