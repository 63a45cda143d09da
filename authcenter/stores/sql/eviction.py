"""Deleting dead rows in SQL: each batch one short transaction, found by an index on the instant of its end."""

from collections.abc import Mapping
from dataclasses import dataclass
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
from authcenter.stores.sql.database import Database, now_on
from authcenter.stores.sql.tables import (
    Instant,
    changes,
    families,
    leases,
    outbox,
    rate_counters,
    refresh_tokens,
    revocation_cuts,
    revoked_tokens,
    used_values,
)


@dataclass(frozen=True, slots=True)
class Lapsing:
    """A table whose rows end by an instant of their own. ``kept``: how long they stay after it."""

    table: Table
    ends_at: Column[Any]
    kept: timedelta = KEPT_AFTER_END


LAPSING: Mapping[Evictable, Lapsing] = {
    Evictable.REVOKED: Lapsing(revoked_tokens, revoked_tokens.c.expires_at),
    Evictable.CUTS: Lapsing(revocation_cuts, revocation_cuts.c.expires_at),
    Evictable.CHANGES: Lapsing(changes, changes.c.changed_at),
    Evictable.LEASES: Lapsing(leases, leases.c.lapses_at),
    Evictable.USED_VALUES: Lapsing(used_values, used_values.c.expires_at),
    Evictable.RATE_COUNTERS: Lapsing(rate_counters, rate_counters.c.free_at),
    Evictable.OUTBOX: Lapsing(outbox, outbox.c.done_at),
    Evictable.DEAD_JOBS: Lapsing(outbox, outbox.c.dead_at, DEAD_JOBS_KEPT),
}


class SqlEviction(Eviction):
    """Dead rows of every table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def evict(self, table: Evictable, most: int) -> int:
        async with self._database.writing() as connection:
            now = await now_on(connection)
            if table in (Evictable.FAMILIES, Evictable.REFRESH_TOKENS):
                return await _evict_families(connection, now, most)
            return (await connection.execute(evict_lapsed(LAPSING[table], now, most))).rowcount

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
    return [one.where(LAPSING[table].ends_at < now - LAPSING[table].kept)]


def evict_lapsed(lapsing: Lapsing, now: datetime, most: int) -> Delete:
    """Delete the rows that ended first."""
    key = tuple_(*lapsing.table.primary_key)
    dead = lapsing.ends_at < now - lapsing.kept
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
    """Some dead families with their tokens; of a family with many tokens, the family in a later batch."""
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
    emptied = await connection.execute(delete(families).where(family.family_id.in_(ids), empty))
    return tokens + emptied.rowcount


async def _count(connection: AsyncConnection, rows: Select[Any], most: int) -> int:
    counted: int = (
        await connection.execute(select(func.count()).select_from(rows.limit(most).subquery()))
    ).scalar_one()
    return counted
