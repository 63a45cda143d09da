"""Tokens as this server would never make them, signed all the same."""

import json
from collections.abc import Callable
from typing import Any

from authcenter.core.base64url import decode, encode
from authcenter.keys.ring import SigningKey
from tests.workbench import API, ISSUER, START

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
GOOD = {
    "iss": ISSUER,
    "sub": "app",
    "aud": API,
    "exp": int(START.timestamp()) + 900,
    "iat": int(START.timestamp()),
    "nbf": int(START.timestamp()),
    "jti": "jti-1",
    "client_id": "app",
    "scope": "read",
    "fam": "family-1",
}
ABSENT = object()
"""As the value of a claim or header parameter: leave it out."""


def forged(
    key: SigningKey,
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    sign: Callable[[bytes], bytes] | None = None,
) -> str:
    """A good token with some claims and header parameters changed, signed with ``key`` unless ``sign`` does it."""
    head = {"alg": key.alg.value, "typ": "at+jwt", "kid": key.kid, **(header or {})}
    body = {**GOOD, **(claims or {})}
    return signed(key, _json(head), _json(body), sign)


def signed(key: SigningKey, header: bytes, payload: bytes, sign: Callable[[bytes], bytes] | None = None) -> str:
    """Any two octet sequences as header and payload."""
    signing_input = f"{encode(header)}.{encode(payload)}"
    return f"{signing_input}.{encode((sign or key.sign)(signing_input.encode()))}"


def header_of(key: SigningKey) -> bytes:
    return _json({"alg": key.alg.value, "typ": "at+jwt", "kid": key.kid})


def twin(token: str) -> str:
    """The other signature of ECDSA that verifies: ``(r, n - s)``."""
    signing_input, _, segment = token.rpartition(".")
    raw = decode(segment)
    s = P256_ORDER - int.from_bytes(raw[32:], "big")
    return f"{signing_input}.{encode(raw[:32] + s.to_bytes(32, 'big'))}"


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps({name: one for name, one in value.items() if one is not ABSENT}).encode()
