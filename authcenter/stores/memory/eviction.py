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
            _clean_up(tables)
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
        Evictable.STATUS_ENTRIES: tables.status_entries,
        Evictable.STATUS_LISTS: tables.status_lists,
        Evictable.ADDRESS_VERIFICATIONS: tables.sign_ups,
        Evictable.CODES: tables.codes,
        Evictable.DEVICE_CODES: tables.devices,
        Evictable.PUSHED_REQUESTS: tables.pushed,
        Evictable.REQUEST_TRACES: tables.request_traces,
        Evictable.SESSIONS: tables.sessions,
        Evictable.RESET_LINKS: tables.reset_links,
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
    Evictable.ADDRESS_VERIFICATIONS: lambda row: row.expires_at,
    Evictable.CODES: lambda row: None if row.spent_at else row.expires_at,
    Evictable.DEVICE_CODES: lambda row: None if row.spent_at else row.expires_at,
    Evictable.PUSHED_REQUESTS: lambda row: row.expires_at,
    Evictable.REQUEST_TRACES: lambda row: row.expires_at,
    Evictable.SESSIONS: lambda row: row[0].ended_at or row[0].expires_at,
    Evictable.RESET_LINKS: lambda row: row.expires_at,
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
    if table in (Evictable.STATUS_ENTRIES, Evictable.STATUS_LISTS):
        lapsed = now - KEPT_AFTER_END
        gone = {key for key, row in tables.status_lists.items() if row.listed.lapses_at < lapsed}
        yield from ((tables.status_entries, key) for key in tables.status_entries if key[0] in gone)
        yield from ((tables.status_lists, key) for key in gone)
        return
    kept = DEAD_JOBS_KEPT if table is Evictable.DEAD_JOBS else KEPT_AFTER_END
    rows = _rows(tables, table)
    living = {family.sign_in.get("sid") for family in tables.families.values()} if table is Evictable.SESSIONS else ()
    for key, row in rows.items():
        ended = _ENDS_AT[table](row)
        if ended is None or ended >= now - kept:
            continue
        if key not in living or row[0].ended_at is not None:
            yield rows, key


def _clean_up(tables: Tables) -> None:
    """What goes with the rows that have gone: codes with the family they opened, clients with their session."""
    for key, code in [*tables.codes.items()]:
        if code.spent_at is not None and code.family_id not in tables.families:
            del tables.codes[key]
    for key, device in [*tables.devices.items()]:
        if device.spent_at is not None and device.family_id not in tables.families:
            del tables.devices[key]
    for session_id, client_id in [*tables.session_clients]:
        if session_id not in tables.sessions:
            del tables.session_clients[session_id, client_id]


def _is_dead(tables: Tables, family: TokenFamily, now: datetime) -> bool:
    if family.ended_at is not None:
        return family.ended_at < now - KEPT_AFTER_END
    given = (token.issued_at for token in tables.tokens.values() if token.family_id == family.family_id)
    last_token_at = max(given, default=family.approved_at)
    return family.expires_at < now - KEPT_AFTER_END and last_token_at < now - KEPT_AFTER_LAST_TOKEN
