"""Authorization codes, at rest."""

from datetime import datetime
from typing import Protocol

from authcenter.core.authorization import AuthorizationCode, PushedRequest
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

    async def redeem(self, digest: Digest, at: datetime, family: TokenFamily, first: RefreshToken | None) -> bool:
        """Spend it and open the family that follows, or do neither; of two callers one gets True.

        Neither, too, where the session has ended that the family belongs to: its end would not find the family.
        """
        ...


class PushedRequestStore(Protocol):
    """Pushed authorization requests."""

    async def add(self, pushed: PushedRequest) -> None: ...

    async def find(self, digest: Digest) -> PushedRequest | None: ...


class PairwiseSubjects(Protocol):
    """What people are called at clients that must not be able to compare notes (OpenID Connect Core §8.1)."""

    async def known_as(self, subject: str, sector: str, new: str) -> str:
        """The name of ``subject`` in ``sector``: the one it has, else ``new``, which is kept for good."""
        ...
