"""Refresh tokens, revocations and the change feed in memory."""

import dataclasses
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from authcenter.core.cut import NO_CONSEQUENCES, Consequences, Cut, RevokedToken
from authcenter.core.digest import Digest
from authcenter.core.errors import Conflict
from authcenter.core.token import HeldRefreshToken, RefreshToken, TokenFamily
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.tokens import ChangeFeed, RefreshTokenStore, RevocationStore


class MemoryRefreshTokenStore(RefreshTokenStore):
    """Tokens and families of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def find(self, selector: str) -> HeldRefreshToken | None:
        tables = self._record.tables
        token = tables.tokens.get(selector)
        return HeldRefreshToken(token, tables.families[token.family_id]) if token else None

    async def find_family(self, family_id: str) -> TokenFamily | None:
        return self._record.tables.families.get(family_id)

    async def open_family(self, family: TokenFamily, first: RefreshToken) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            return add_family(tables, family, first)

        self._record.commit(write)

    async def rotate(self, held: RefreshToken, successor: RefreshToken, sealed_answer: bytes | None) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            family, token = tables.families.get(held.family_id), tables.tokens.get(held.selector)
            if family is None or family.ended_at or token is None or token.spent_at:
                return False
            spent = dataclasses.replace(token, spent_at=successor.issued_at, sealed_answer=sealed_answer)
            tables.tokens[held.selector] = spent
            _add(tables, successor)
            return True

        return self._record.commit(write)

    async def end_family(self, family_id: str, at: datetime, consequences: Consequences) -> bool:
        reason = consequences.cuts[0].reason

        def write(tables: Tables, _: datetime) -> bool:
            family = tables.families.get(family_id)
            if family is None or family.ended_at:
                return False
            tables.families[family_id] = dataclasses.replace(family, ended_at=at, end_reason=reason)
            return True

        return self._record.commit(write, consequences)


class MemoryRevocationStore(RevocationStore):
    """Revocations of the shared record, whose clock is the database's."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def now(self) -> datetime:
        return self._record.clock.now()

    async def revoke(self, token: RevokedToken, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            if token.digest in tables.revoked:
                return False
            tables.revoked[token.digest] = (token, at)
            return True

        return self._record.commit(write, consequences)

    async def cut(self, consequences: Consequences) -> None:
        self._record.commit(lambda tables, at: True, consequences)

    async def all_tokens(self, alive_after: datetime) -> AsyncIterator[Sequence[tuple[Digest, datetime]]]:
        revoked = self._record.tables.revoked.values()
        if alive := [(token.digest, token.expires_at) for token, _ in revoked if token.expires_at > alive_after]:
            yield alive

    async def all_cuts(self, alive_after: datetime) -> Sequence[Cut]:
        cuts = self._record.tables.cuts.values()
        return [cut for cut, _ in cuts if cut.expires_at is None or cut.expires_at > alive_after]

    async def recent(self, seconds: float) -> tuple[Sequence[tuple[Digest, datetime]], Sequence[Cut]]:
        tables, since = self._record.tables, self._record.clock.now() - timedelta(seconds=seconds)
        tokens = [(token.digest, token.expires_at) for token, at in tables.revoked.values() if at >= since]
        return tokens, [cut for cut, at in tables.cuts.values() if at >= since]


class MemoryChangeFeed(ChangeFeed):
    """The change feed of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def recent_changes(self, seconds: float) -> Sequence[tuple[str, str, int]]:
        since = self._record.clock.now() - timedelta(seconds=seconds)
        changes = self._record.tables.changes.items()
        return [(kind, key, number) for (kind, key), (number, at) in changes if at >= since]


def add_family(tables: Tables, family: TokenFamily, first: RefreshToken | None) -> bool:
    """Write a family, and its first token where it has one. Raises ``Conflict``."""
    if family.family_id in tables.families:
        raise Conflict(f"family {family.family_id}")
    tables.families[family.family_id] = family
    if first is not None:
        _add(tables, first)
    return True


def _add(tables: Tables, token: RefreshToken) -> None:
    if token.selector in tables.tokens:
        raise Conflict(f"refresh token {token.selector}")
    tables.tokens[token.selector] = token
