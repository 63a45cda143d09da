"""Writing cuts: the rows that replicas read, and the families that lie under them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, literal, null, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import LIFTED_CUT_LASTS, Cut, CutKind
from authcenter.stores.sql.changes import note_change
from authcenter.stores.sql.columns import Instant
from authcenter.stores.sql.database import database_clock, database_second
from authcenter.stores.sql.ended_sessions import end_sessions
from authcenter.stores.sql.sign_in_tables import sessions
from authcenter.stores.sql.tables import clients, families, revocation_cuts, users
from authcenter.stores.sql.upsert import upsert

_FAMILY_COLUMN = {
    CutKind.FAMILY: families.c.family_id,
    CutKind.SESSION: families.c.session_id,
    CutKind.SUBJECT: families.c.subject,
    CutKind.CLIENT: families.c.client_id,
}
_SESSION_COLUMN = {CutKind.SESSION: sessions.c.session_id, CutKind.SUBJECT: sessions.c.subject}
_OWNER = {
    CutKind.SUBJECT: ("user", users, users.c.subject),
    CutKind.CLIENT: ("client", clients, clients.c.client_id),
}


async def write_cuts(connection: AsyncConnection, cuts: Sequence[Cut]) -> list[Cut]:
    """Keep cuts, and end the families and sessions under them; they are given back with the instants they have got.

    A cut of everything outweighs one up to an instant; of two of those the later stays. So it is with when they lapse.
    """
    written: list[Cut] = []
    for cut in cuts:
        await _lock_owner(connection, cut.kind, cut.value)
        up_to = await _second_on(connection) if cut.until_now else cut.up_to
        # Sessions first: whoever opens a family holds its session until then.
        await _end_sessions(connection, cut)
        await _end_families(connection, cut)
        if cut.kind is CutKind.SUBJECT:
            written += await _cut_pairwise(connection, cut)
        await _keep(connection, cut, up_to)
        await _mark_owner(connection, cut.kind, cut.value, up_to)
        written.append(replace(cut, up_to=up_to, until_now=False))
    return written


async def lift_cuts(connection: AsyncConnection, lifts: Sequence[tuple[CutKind, str]]) -> list[Cut]:
    """Turn cuts of everything into cuts of what was issued until now; those that stood are given back."""
    row = revocation_cuts.c
    stood: list[Cut] = []
    for kind, value in lifts:
        await _lock_owner(connection, kind, value)
        up_to = await _second_on(connection)
        standing = update(revocation_cuts).where(row.kind == kind, row.value == value, row.up_to.is_(None))
        lifted = {"up_to": up_to, "made_at": database_clock(), "expires_at": up_to + LIFTED_CUT_LASTS}
        if (await connection.execute(standing.values(lifted))).rowcount:
            await _mark_owner(connection, kind, value, up_to)
            stood.append(Cut(kind, value, "lifted", up_to=up_to, expires_at=up_to + LIFTED_CUT_LASTS))
    return stood


def later_mark(held: ColumnElement[Any], new: datetime | None) -> ColumnElement[Any]:
    """What an owner's ``cut_at`` becomes by a write that read it as ``new``: a cut made meanwhile stays."""
    if new is None:
        return held
    instant = literal(new, Instant)
    return case((held > instant, held), else_=instant)


async def _lock_owner(connection: AsyncConnection, kind: CutKind, value: str) -> None:
    # Before the clock is read, so that no time passes between the cut and its instant. Owner, sessions, families, cut:
    # in this order other writes take them too, so that they cannot deadlock.
    if owner := _OWNER.get(kind):
        _, _, key = owner
        await connection.execute(select(key).where(key == value).with_for_update())


async def _second_on(connection: AsyncConnection) -> datetime:
    second: datetime = (await connection.execute(select(database_second()))).scalar_one()
    return second


async def _keep(connection: AsyncConnection, cut: Cut, up_to: datetime | None) -> None:
    row = revocation_cuts.c
    new: dict[str, Any] = {
        "kind": cut.kind,
        "value": cut.value,
        "reason": cut.reason,
        "up_to": up_to,
        "made_at": database_clock(),
        "expires_at": cut.expires_at,
    }
    changed = {
        "reason": cut.reason,
        "up_to": _later_or_null(row.up_to, up_to),
        "made_at": database_clock(),
        "expires_at": _later_or_null(row.expires_at, cut.expires_at),
    }
    await upsert(connection, revocation_cuts, new, ("kind", "value"), changed)


def _later_or_null(held: ColumnElement[Any], new: datetime | None) -> ColumnElement[Any]:
    if new is None:
        return null()
    instant = literal(new, Instant)
    return case((held.is_(None), null()), (held > instant, held), else_=instant)


async def _end_families(connection: AsyncConnection, cut: Cut) -> None:
    column = _FAMILY_COLUMN.get(cut.kind)
    if column is None and cut.kind is not CutKind.EVERYTHING:
        return
    under = families.c.ended_at.is_(None) & (true() if column is None else column == cut.value)
    if cut.up_to is not None and not cut.until_now:
        under &= families.c.approved_at <= cut.up_to
    ended = update(families).where(under)
    await connection.execute(ended.values(ended_at=database_clock(), end_reason=cut.reason))


async def _cut_pairwise(connection: AsyncConnection, cut: Cut) -> list[Cut]:
    """Cut the families whose tokens say a pairwise ``sub`` instead: only this database knows whose that is."""
    family = families.c
    alive = select(family.family_id).where(
        family.subject == cut.value, family.known_as.is_not(None), family.expires_at > database_clock()
    )
    lapses = cut.expires_at or await _second_on(connection) + LIFTED_CUT_LASTS
    cuts = [
        Cut(CutKind.FAMILY, family_id, cut.reason, expires_at=lapses)
        for family_id in (await connection.execute(alive)).scalars()
    ]
    for one in cuts:
        await _keep(connection, one, None)
    return cuts


async def _end_sessions(connection: AsyncConnection, cut: Cut) -> None:
    column = _SESSION_COLUMN.get(cut.kind)
    if column is None and cut.kind is not CutKind.EVERYTHING:
        return
    under: ColumnElement[bool] = true() if column is None else column == cut.value
    if cut.up_to is not None and not cut.until_now:
        under &= sessions.c.auth_time <= cut.up_to
    await end_sessions(connection, under, database_clock())


async def _mark_owner(connection: AsyncConnection, kind: CutKind, value: str, up_to: datetime | None) -> None:
    """Write the cut to its user or client too, so that whoever reads that row issues nothing under the cut."""
    owner = _OWNER.get(kind)
    if owner is None or up_to is None:
        return
    name, table, key = owner
    marked = update(table).where(key == value).values(cut_at=later_mark(table.c.cut_at, up_to))
    if (await connection.execute(marked)).rowcount:
        await note_change(connection, name, value)
