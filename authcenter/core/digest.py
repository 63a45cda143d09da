"""What is stored of a token instead of the token."""

import hashlib
from typing import NewType

Digest = NewType("Digest", bytes)
"""SHA-256, 32 bytes."""


def signing_input_digest(token: str) -> Digest:
    """The digest a JWT is revoked by: over ``header.payload``, not over the whole string.

    The signature part can be re-encoded (spare base64url bits, ECDSA's second ``s``) into another string that still
    verifies; such a twin has the same digest.
    """
    return sha256(token[: token.rindex(".")].encode())


def sha256(data: bytes) -> Digest:
    """Of ``header.payload`` it is also what most algorithms sign."""
    return Digest(hashlib.sha256(data).digest())
