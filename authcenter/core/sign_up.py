"""A sign-up under way: an address that is to be confirmed by a link before anything else is asked."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from authcenter.core.digest import Digest

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignUpLink:
    """A link by which whoever reads the mail for ``email`` opens an account.

    Attributes:
        digest: Of the token in the link, which is kept nowhere.
    """

    digest: Digest
    email: str
    created_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None

    def lives(self, at: datetime) -> bool:
        """Whether it opens an account still."""
        return self.spent_at is None and at < self.expires_at


def sign_up_digest(token: bytes) -> Digest:
    """What is kept of a token. It is random, so that no slow hash is needed."""
    return Digest(hashlib.sha256(token).digest())
