"""Refresh tokens and what has been revoked, at rest."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from authcenter.core.cut import NO_CONSEQUENCES, Consequences, Cut, RevokedToken
from authcenter.core.digest import Digest
from authcenter.core.token import HeldRefreshToken, RefreshToken, TokenFamily


class RefreshTokenStore(Protocol):
    """Refresh tokens, known by digest only: a stolen table redeems nothing."""

    async def find(self, selector: str) -> HeldRefreshToken | None: ...

    async def find_family(self, family_id: str) -> TokenFamily | None: ...

    async def open_family(self, family: TokenFamily, first: RefreshToken) -> None:
        """Keep a new family and its first token."""
        ...

    async def rotate(self, held: RefreshToken, successor: RefreshToken, sealed_answer: bytes | None) -> bool:
        """Spend one token and keep its successor, or do neither; of two callers one gets True.

        False where ``held`` is spent or its family has ended.
        """
        ...

    async def end_family(self, family_id: str, at: datetime, consequences: Consequences) -> bool:
        """End a family, once; the cut among the consequences names the reason. False where it had ended before."""
        ...


class RevocationStore(Protocol):
    """The record of everything revoked. All times it compares are the database's own."""

    async def now(self) -> datetime:
        """The database's clock."""
        ...

    async def revoke(self, token: RevokedToken, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        """Keep it, once; False where it was revoked before."""
        ...

    async def cut(self, consequences: Consequences) -> None:
        """Keep the cuts, and end the families that lie under them."""
        ...

    def all_tokens(self, alive_after: datetime) -> AsyncIterator[Sequence[tuple[Digest, datetime]]]:
        """Digest and expiry of every revoked token that has not lapsed by ``alive_after``, in batches."""
        ...

    async def all_cuts(self, alive_after: datetime) -> Sequence[Cut]: ...

    async def recent(self, seconds: float) -> tuple[Sequence[tuple[Digest, datetime]], Sequence[Cut]]:
        """What was revoked or cut within the last ``seconds``."""
        ...


class ChangeFeed(Protocol):
    """What has been written lately, so that caches elsewhere forget it."""

    async def recent_changes(self, seconds: float) -> Sequence[tuple[str, str, int]]:
        """Kind (``client``, ``resource``, ``user``), key, and a number that rises with each change of that key."""
        ...
