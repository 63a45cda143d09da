"""Authorization codes, at rest."""

from datetime import datetime
from typing import Protocol

from authcenter.core.authorization import AuthorizationCode
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.token import RefreshToken, TokenFamily


class AuthorizationCodeStore(Protocol):
    """Codes, known by digest only. Spent ones stay until what they made has lapsed: a second use is recognised."""

    async def add(self, code: AuthorizationCode, consequences: Consequences, *, pushed: Digest | None = None) -> bool:
        """Keep it, note its client in its session, and spend the pushed request it answers, all in one transaction.

        False where the pushed request was spent before: nothing is kept.
        """
        ...

    async def find(self, digest: Digest) -> AuthorizationCode | None: ...

    async def redeem(self, digest: Digest, at: datetime, opens: tuple[TokenFamily, RefreshToken] | None) -> bool:
        """Spend it and open the family that follows, or do neither; of two callers one gets True."""
        ...
