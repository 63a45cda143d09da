"""Writing cuts: the rows that replicas read, and the families that lie under them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, literal, null, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Cut, CutKind
from authcenter.stores.sql.changes import note_change
from authcenter.stores.sql.database import database_clock, database_second
from authcenter.stores.sql.tables import Instant, clients, families, revocation_cuts, users
from authcenter.stores.sql.upsert import upsert

_FAMILY_COLUMN = {
    CutKind.FAMILY: families.c.family_id,
    CutKind.SESSION: families.c.session_id,
    CutKind.SUBJECT: families.c.subject,
    CutKind.CLIENT: families.c.client_id,
}


def later_mark(held: ColumnElement[Any], new: datetime | None) -> ColumnElement[Any]:
    """What an owner's ``cut_at`` becomes by a write that read it as ``new``: a cut made meanwhile stays."""
    return held if new is None else _later(held, literal(new, Instant))


async def write_cuts(connection: AsyncConnection, cuts: Sequence[Cut]) -> None:
    """Keep cuts, and end the families under them.

    A cut of everything outweighs one up to an instant; of two of those the later stays. So it is with when they lapse.
    """
    for cut in cuts:
        up_to = _up_to(cut)
        # The owner's row first, as writes to users and clients take it: two cuts of one owner cannot deadlock.
        await _mark_owner(connection, cut, up_to)
        row = revocation_cuts.c
        new: dict[str, Any] = {
            "kind": cut.kind,
            "value": cut.value,
            "reason": cut.reason,
            "up_to": up_to,
            "made_at": database_clock(),
            "expires_at": cut.expires_at,
        }
        changed = {name: new[name] for name in ("reason", "made_at", "expires_at", "up_to")}
        if up_to is not None:
            changed["up_to"] = _later_or_null(row.up_to, up_to)
        if cut.expires_at is not None:
            changed["expires_at"] = _later_or_null(row.expires_at, literal(cut.expires_at, Instant))
        await upsert(connection, revocation_cuts, new, ("kind", "value"), changed)
        await _end_families(connection, cut)


async def lift_cuts(connection: AsyncConnection, lifts: Sequence[tuple[CutKind, str]]) -> None:
    """Turn cuts of everything into cuts of what was issued until now."""
    row = revocation_cuts.c
    for kind, value in lifts:
        standing = update(revocation_cuts).where(row.kind == kind, row.value == value, row.up_to.is_(None))
        await connection.execute(standing.values(up_to=database_second(), made_at=database_clock()))


def _up_to(cut: Cut) -> ColumnElement[Any] | None:
    if cut.until_now:
        return database_second()
    return None if cut.up_to is None else literal(cut.up_to, Instant)


def _later(held: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((held > new, held), else_=new)


def _later_or_null(held: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((held.is_(None), null()), (held > new, held), else_=new)


async def _end_families(connection: AsyncConnection, cut: Cut) -> None:
    column = _FAMILY_COLUMN.get(cut.kind)
    if column is None and cut.kind is not CutKind.EVERYTHING:
        return
    under = true() if column is None else column == cut.value
    if cut.up_to is not None and not cut.until_now:
        under &= families.c.approved_at <= cut.up_to
    ended = update(families).where(under, families.c.ended_at.is_(None))
    await connection.execute(ended.values(ended_at=database_clock(), end_reason=cut.reason))


async def _mark_owner(connection: AsyncConnection, cut: Cut, up_to: ColumnElement[Any] | None) -> None:
    """Write the cut to its user or client too, so that whoever reads that row issues nothing under the cut."""
    match cut.kind:
        case CutKind.SUBJECT:
            table, key = users, users.c.subject
        case CutKind.CLIENT:
            table, key = clients, clients.c.client_id
        case _:
            return
    if up_to is None:
        return
    marked = await connection.execute(
        update(table).where(key == cut.value).values(cut_at=_later(table.c.cut_at, up_to))
    )
    if marked.rowcount:
        await note_change(connection, "user" if table is users else "client", cut.value)
