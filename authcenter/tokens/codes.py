"""Authorization codes: drawn, known by their digest, redeemed once (RFC 6749 §4.1.2)."""

import hashlib
import re
import secrets

from authcenter.core.digest import Digest

PREFIX = "acc_"
_BYTES = 32
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


def draw_code() -> tuple[str, Digest]:
    """A new code of 256 random bits, and the digest it is stored by."""
    code = PREFIX + secrets.token_urlsafe(_BYTES)
    return code, _digest(code)


def code_digest(code: str) -> Digest | None:
    """The digest of something shaped like a code of ours."""
    return _digest(code) if _FORM.fullmatch(code) else None


def _digest(code: str) -> Digest:
    return Digest(hashlib.sha256(code.encode()).digest())
