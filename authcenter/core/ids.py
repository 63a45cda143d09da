"""Identifiers: their types, and how the random ones are made."""

import os
import random
import re
import time
from typing import NewType

from authcenter.core import base64url

ClientId = NewType("ClientId", str)
"""Chosen by the operator; may not begin with ``usr_``."""

Subject = NewType("Subject", str)
"""The ``sub`` of a token: ``usr_`` and 128 random bits for a user, the client id for a client."""

FamilyId = NewType("FamilyId", str)
"""``fam``: everything that one approval led to carries it."""

SessionId = NewType("SessionId", str)
"""``sid``: one signed-in browser."""

Jti = NewType("Jti", str)
"""Names one token; may be logged."""

Kid = NewType("Kid", str)
"""Names one signing key: its RFC 7638 thumbprint."""

RequestId = NewType("RequestId", str)
"""A uuid7, made here for every request."""

SUBJECT_PREFIX = "usr_"
_ID_BYTES = 16
_UUID7 = 0x7 << 76 | 0x2 << 62
"""The version and the variant."""

_UUID_RANDOM = (1 << 80) - 1 & ~(0xF << 76 | 0x3 << 62)
_UUID7_WRITTEN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def _random_text() -> str:
    return base64url.encode(os.urandom(_ID_BYTES))


def new_subject() -> Subject:
    return Subject(SUBJECT_PREFIX + _random_text())


def new_family_id() -> FamilyId:
    return FamilyId(_random_text())


def new_jti() -> Jti:
    """128 bits, of which the first 48 are Unix milliseconds: what indexes them finds its place at their end, and a
    table of millions takes as long to grow as a small one."""
    return Jti(base64url.encode((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(_ID_BYTES - 6)))


def milliseconds_of_jti(jti: str) -> int | None:
    """When a token was made that ``new_jti`` named, as Unix milliseconds; None: this is no such name."""
    try:
        named = base64url.decode(jti)
    except ValueError:
        return None
    return int.from_bytes(named[:6], "big") if len(named) == _ID_BYTES else None


def uuid7() -> str:
    """A time-ordered UUID (RFC 9562 §5.7): 48 bits of Unix milliseconds, the rest random."""
    # Unique, not secret: the generator need not be the operating system's, which costs as much as all the rest.
    return _uuid(time.time_ns() // 1_000_000, random.getrandbits(80))


def uuid7_at(milliseconds: int) -> str:
    """The first that an instant, Unix milliseconds, may have: those of before it come before it as texts, too."""
    return _uuid(min(max(milliseconds, 0), (1 << 48) - 1), 0)


def milliseconds_of_uuid7(text: str) -> int | None:
    """When a ``uuid7`` was made, as Unix milliseconds; None: it is none, or is not written as those are."""
    if _UUID7_WRITTEN.fullmatch(text) is None:
        return None
    return int(text[:8] + text[9:13], 16)


def _uuid(milliseconds: int, randomly: int) -> str:
    value = milliseconds << 80 | randomly & _UUID_RANDOM | _UUID7
    text = value.to_bytes(16, "big").hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_request_id() -> RequestId:
    return RequestId(uuid7())
