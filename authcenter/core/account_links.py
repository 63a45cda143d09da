"""Links in mails that act on an account: at rest only the digest of their token, used once, lapsing by themselves."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from authcenter.core import base64url
from authcenter.core.digest import Digest
from authcenter.core.ids import Subject

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class ResetLink:
    """A link by which the owner of an account sets a password."""

    digest: Digest
    subject: Subject
    created_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A link by which the owner of an account confirms ``email`` as its new address."""

    digest: Digest
    subject: Subject
    email: str
    created_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None


def link_digest(token: bytes) -> Digest:
    """What is kept of a token. It is random, so that no slow hash is needed."""
    return Digest(hashlib.sha256(token).digest())


def link_token(text: str) -> bytes | None:
    """The token that a link spells; None: not shaped like one of ours."""
    try:
        token = base64url.decode(text)
    except ValueError:
        return None
    return token if len(token) == TOKEN_BYTES else None
