"""Deleting dead rows in SQL: each batch one short transaction, found by an index on the instant of its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Delete,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.stores.ports.eviction import (
    DEAD_JOBS_KEPT,
    KEPT_AFTER_END,
    KEPT_AFTER_LAST_TOKEN,
    Evictable,
    Eviction,
)
from authcenter.stores.sql.account_tables import address_verifications, password_reset_tokens
from authcenter.stores.sql.audit_tables import request_traces
from authcenter.stores.sql.columns import Instant
from authcenter.stores.sql.database import Database, now_on
from authcenter.stores.sql.sign_in_tables import authorization_codes as codes
from authcenter.stores.sql.sign_in_tables import device_codes, outbox, pushed_requests, sessions
from authcenter.stores.sql.sign_in_tables import initial_access_tokens as initial_tokens
from authcenter.stores.sql.tables import (
    changes,
    families,
    leases,
    rate_counters,
    refresh_tokens,
    revocation_cuts,
    revoked_tokens,
    status_entries,
    status_lists,
    used_values,
)


@dataclass(frozen=True, slots=True)
class Lapsing:
    """Rows that end by an instant of their own.

    Attributes:
        only: Which of them.
        kept: How long they stay after it.
    """

    table: Table
    ends_at: Column[Any]
    only: ColumnElement[bool] = field(default_factory=true)
    kept: timedelta = KEPT_AFTER_END

    def dead(self, now: datetime) -> ColumnElement[bool]:
        return and_(self.ends_at < now - self.kept, self.only)


LAPSING: Mapping[Evictable, Sequence[Lapsing]] = {
    Evictable.REVOKED: [Lapsing(revoked_tokens, revoked_tokens.c.expires_at)],
    Evictable.CUTS: [Lapsing(revocation_cuts, revocation_cuts.c.expires_at)],
    Evictable.CHANGES: [Lapsing(changes, changes.c.changed_at)],
    Evictable.LEASES: [Lapsing(leases, leases.c.lapses_at)],
    Evictable.USED_VALUES: [Lapsing(used_values, used_values.c.expires_at)],
    Evictable.RATE_COUNTERS: [Lapsing(rate_counters, rate_counters.c.free_at)],
    Evictable.CODES: [Lapsing(codes, codes.c.expires_at, codes.c.spent_at.is_(None))],
    Evictable.DEVICE_CODES: [Lapsing(device_codes, device_codes.c.expires_at, device_codes.c.spent_at.is_(None))],
    Evictable.REQUEST_TRACES: [Lapsing(request_traces, request_traces.c.expires_at)],
    Evictable.PUSHED_REQUESTS: [Lapsing(pushed_requests, pushed_requests.c.expires_at)],
    Evictable.OUTBOX: [Lapsing(outbox, outbox.c.done_at)],
    Evictable.DEAD_JOBS: [Lapsing(outbox, outbox.c.dead_at, kept=DEAD_JOBS_KEPT)],
    Evictable.INITIAL_ACCESS_TOKENS: [Lapsing(initial_tokens, initial_tokens.c.expires_at)],
    Evictable.ADDRESS_VERIFICATIONS: [Lapsing(address_verifications, address_verifications.c.expires_at)],
    Evictable.RESET_LINKS: [Lapsing(password_reset_tokens, password_reset_tokens.c.expires_at)],
    Evictable.SESSIONS: [
        Lapsing(sessions, sessions.c.ended_at),
        Lapsing(
            sessions,
            sessions.c.expires_at,
            and_(sessions.c.ended_at.is_(None), ~exists().where(families.c.session_id == sessions.c.session_id)),
        ),
    ],
}
"""By each kind of end. The rows of one kind are not of another."""


class SqlEviction(Eviction):
    """Dead rows of every table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def evict(self, table: Evictable, most: int) -> int:
        async with self._database.writing() as connection:
            now = await now_on(connection)
            if table in (Evictable.FAMILIES, Evictable.REFRESH_TOKENS):
                return await _evict_families(connection, now, most)
            if table in (Evictable.STATUS_ENTRIES, Evictable.STATUS_LISTS):
                return await _evict_status_lists(connection, now, most)
            evicted = 0
            for lapsing in LAPSING[table]:
                evicted += (await connection.execute(evict_lapsed(lapsing, now, most - evicted))).rowcount
            return evicted

    async def backlog(self, table: Evictable, most: int) -> int:
        async with self._database.reading() as connection:
            now = await now_on(connection)
            return min(most, sum([await _count(connection, dead, most) for dead in dead_rows(table, now)]))


def dead_rows(table: Evictable, now: datetime) -> list[Select[Any]]:
    """One row for each that is dead, of each kind."""
    one = select(literal(1))
    if table is Evictable.FAMILIES:
        return [one.where(dead) for dead, _ in dead_families(now)]
    if table is Evictable.REFRESH_TOKENS:
        return [one.select_from(refresh_tokens).join(families).where(dead) for dead, _ in dead_families(now)]
    if table is Evictable.STATUS_LISTS:
        return [one.select_from(status_lists).where(_lapsed(now))]
    if table is Evictable.STATUS_ENTRIES:
        of_list = status_entries.c.list_id == status_lists.c.list_id
        return [one.select_from(status_entries.join(status_lists, of_list)).where(_lapsed(now))]
    return [one.select_from(lapsing.table).where(lapsing.dead(now)) for lapsing in LAPSING[table]]


def evict_lapsed(lapsing: Lapsing, now: datetime, most: int) -> Delete:
    """Delete the rows that ended first."""
    key = tuple_(*lapsing.table.primary_key)
    dead = lapsing.dead(now)
    oldest = select(*lapsing.table.primary_key).where(dead).order_by(lapsing.ends_at).limit(most)
    # Said again of the row itself: one that is renewed between the two looks stays.
    return delete(lapsing.table).where(key.in_(oldest), dead)


def dead_families(now: datetime) -> tuple[tuple[ColumnElement[bool], Column[Any]], ...]:
    """Families that nothing alive belongs to: two kinds, each with the column whose index finds it."""
    family = families.c
    last_token_at = func.coalesce(family.rotated_at, family.approved_at, type_=Instant)
    long_ended = family.ended_at < now - KEPT_AFTER_END
    lapsed = and_(
        family.expires_at < now - KEPT_AFTER_END,
        last_token_at < now - KEPT_AFTER_LAST_TOKEN,
        or_(family.ended_at.is_(None), ~long_ended),
    )
    return (long_ended, family.ended_at), (lapsed, family.expires_at)


def oldest_families(dead: ColumnElement[bool], ends_at: Column[Any], most: int) -> Select[Any]:
    """The ids of those that ended first. One that somebody is writing just now can wait."""
    oldest = select(families.c.family_id).where(dead).order_by(ends_at).limit(most)
    return oldest.with_for_update(skip_locked=True)


async def _evict_families(connection: AsyncConnection, now: datetime, most: int) -> int:
    """Some dead families, each with its tokens and the code that opened it; one with many tokens in a later batch."""
    family, token = families.c, refresh_tokens.c
    # The family row first, as whoever rotates or ends one does.
    ids: list[str] = []
    for dead, ends_at in dead_families(now):
        ids += (await connection.execute(oldest_families(dead, ends_at, most - len(ids)))).scalars()
    if not ids:
        return 0
    some = select(token.selector).where(token.family_id.in_(ids)).limit(most)
    tokens = (await connection.execute(delete(refresh_tokens).where(token.selector.in_(some)))).rowcount
    empty = ~exists().where(token.family_id == family.family_id)
    emptied = delete(families).where(family.family_id.in_(ids), empty).returning(family.family_id)
    gone = list((await connection.execute(emptied)).scalars())
    for table in (codes, device_codes):
        await connection.execute(delete(table).where(table.c.family_id.in_(gone)))
    return tokens + len(gone)


def _lapsed(now: datetime) -> ColumnElement[bool]:
    """Of a status list: nothing in it can be alive."""
    return status_lists.c.lapses_at < now - KEPT_AFTER_END


async def _evict_status_lists(connection: AsyncConnection, now: datetime, most: int) -> int:
    """Some entries of the list that lapsed first; once it has none, the list."""
    row, entry = status_lists.c, status_entries.c
    first = select(row.list_id).where(_lapsed(now)).order_by(row.lapses_at, row.number).limit(1)
    list_id = (await connection.execute(first)).scalar_one_or_none()
    if list_id is None:
        return 0
    some = select(entry.idx).where(entry.list_id == list_id).order_by(entry.idx).limit(most)
    dead = delete(status_entries).where(entry.list_id == list_id, entry.idx.in_(some))
    if entries := (await connection.execute(dead)).rowcount:
        return entries
    return (await connection.execute(delete(status_lists).where(row.list_id == list_id))).rowcount


async def _count(connection: AsyncConnection, rows: Select[Any], most: int) -> int:
    counted: int = (
        await connection.execute(select(func.count()).select_from(rows.limit(most).subquery()))
    ).scalar_one()
    return counted
