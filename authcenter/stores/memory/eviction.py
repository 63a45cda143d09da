"""Deleting dead rows in memory."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from authcenter.core.token import TokenFamily
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.eviction import (
    DEAD_JOBS_KEPT,
    KEPT_AFTER_END,
    KEPT_AFTER_LAST_TOKEN,
    Evictable,
    Eviction,
)


class MemoryEviction(Eviction):
    """Dead rows of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def evict(self, table: Evictable, most: int) -> int:
        evicted = 0

        def write(tables: Tables, at: datetime) -> bool:
            nonlocal evicted
            dead = [*islice(_dead(tables, table, at), most)]
            for rows, key in dead:
                del rows[key]
            evicted = len(dead)
            return True

        self._record.commit(write)
        return evicted

    async def backlog(self, table: Evictable, most: int) -> int:
        dead = _dead(self._record.tables, table, self._record.clock.now())
        rows = _rows(self._record.tables, table)
        return min(most, sum(1 for held, _ in dead if held is rows))


def _rows(tables: Tables, table: Evictable) -> dict[Any, Any]:
    rows: dict[Evictable, dict[Any, Any]] = {
        Evictable.REFRESH_TOKENS: tables.tokens,
        Evictable.FAMILIES: tables.families,
        Evictable.REVOKED: tables.revoked,
        Evictable.CUTS: tables.cuts,
        Evictable.CHANGES: tables.changes,
        Evictable.LEASES: tables.leases,
        Evictable.OUTBOX: tables.outbox,
        Evictable.DEAD_JOBS: tables.outbox,
    }
    # Used values and counters of the in-process twin lapse by themselves.
    return rows.get(table, {})


_ENDS_AT: Mapping[Evictable, Callable[[Any], datetime | None]] = {
    Evictable.REVOKED: lambda row: row[0].expires_at,
    Evictable.CUTS: lambda row: row[0].expires_at,
    Evictable.CHANGES: lambda row: row[1],
    Evictable.LEASES: lambda row: row[1],
    Evictable.OUTBOX: lambda row: row.done_at,
    Evictable.DEAD_JOBS: lambda row: row.dead_at,
}


def _dead(tables: Tables, table: Evictable, now: datetime) -> Iterator[tuple[dict[Any, Any], Any]]:
    """Each dead row: its dictionary and its key. Tokens come before their family."""
    if table in (Evictable.FAMILIES, Evictable.REFRESH_TOKENS):
        dead = {key for key, family in tables.families.items() if _is_dead(tables, family, now)}
        yield from ((tables.tokens, key) for key, token in tables.tokens.items() if token.family_id in dead)
        yield from ((tables.families, key) for key in dead)
        return
    kept = DEAD_JOBS_KEPT if table is Evictable.DEAD_JOBS else KEPT_AFTER_END
    rows = _rows(tables, table)
    for key, row in rows.items():
        ended = _ENDS_AT[table](row)
        if ended is not None and ended < now - kept:
            yield rows, key


def _is_dead(tables: Tables, family: TokenFamily, now: datetime) -> bool:
    if family.ended_at is not None:
        return family.ended_at < now - KEPT_AFTER_END
    given = (token.issued_at for token in tables.tokens.values() if token.family_id == family.family_id)
    last_token_at = max(given, default=family.approved_at)
    return family.expires_at < now - KEPT_AFTER_END and last_token_at < now - KEPT_AFTER_LAST_TOKEN
