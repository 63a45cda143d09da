"""Status lists in SQL. Entries have no index but their key: written once a token, they are read a list at a time."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Select, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core import base64url
from authcenter.core.cut import CutKind
from authcenter.core.errors import StoreUnavailable
from authcenter.core.status import IndexBlock, StatusEntry, StatusList
from authcenter.stores.ports.status_lists import StatusListStore
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import revocation_cuts, revoked_tokens, status_entries, status_lists
from authcenter.stores.sql.upsert import upsert

_ID_BYTES = 12
_KEY_BYTES = 16
_TRIES = 8
_ENTRY = status_entries.c
_CARRIED: Mapping[CutKind, Column[Any] | None] = {
    CutKind.JTI: _ENTRY.jti,
    CutKind.FAMILY: _ENTRY.family_id,
    CutKind.SUBJECT: _ENTRY.subject,
    CutKind.CLIENT: _ENTRY.client_id,
    CutKind.SESSION: _ENTRY.session_id,
    CutKind.KEY: _ENTRY.kid,
    CutKind.EVERYTHING: None,
}


class SqlStatusListStore(StatusListStore):
    """Lists in ``status_lists``, entries in ``status_entries``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, begins_at: datetime, lapses_at: datetime, count: int, size: int) -> IndexBlock:
        row = status_lists.c
        open_lists = select(row.list_id).where(row.lapses_at == lapses_at, row.taken + count <= size)
        taken = (
            update(status_lists)
            .where(row.list_id == open_lists.order_by(row.number).limit(1).scalar_subquery())
            # Said again of the row itself: whoever waited for another's block looks at what that one left.
            .where(row.taken + count <= size)
            .values(taken=row.taken + count)
            .returning(row.list_id, row.index_key, row.taken)
        )
        for _ in range(_TRIES):
            async with self._database.writing() as connection:
                found = (await connection.execute(taken)).first()
                if found is not None:
                    return IndexBlock(found.list_id, found.index_key, found.taken - count, count)
                await _begin_list(connection, begins_at, lapses_at)
        raise StoreUnavailable("database: the status lists of this window are full as soon as they are begun")

    async def record(self, entries: Sequence[StatusEntry]) -> None:
        async with self._database.writing() as connection:
            await connection.execute(insert(status_entries), [_to_row(entry) for entry in entries])

    async def lists(self) -> Sequence[StatusList]:
        row = status_lists.c
        async with self._database.reading() as connection:
            rows = await connection.execute(select(row.list_id, row.begins_at, row.lapses_at))
            return [StatusList(*one) for one in rows]

    async def refused(self, listed: StatusList) -> Sequence[int]:
        async with self._database.reading() as connection:
            kinds = (await connection.execute(select(revocation_cuts.c.kind).distinct())).scalars().all()
            # A statement each: together they could take longer than one may.
            each = [_revoked(listed), *(_cut(listed, CutKind(kind)) for kind in kinds)]
            return [index for one in each for index in (await connection.execute(one)).scalars()]


async def _begin_list(connection: AsyncConnection, begins_at: datetime, lapses_at: datetime) -> None:
    """Begin the next list of a window, unless another process is just doing it."""
    row = status_lists.c
    last = (await connection.execute(select(func.max(row.number)).where(row.lapses_at == lapses_at))).scalar_one()
    new = {
        # Random: it tells neither when the list was begun nor how many there are.
        "list_id": base64url.encode(os.urandom(_ID_BYTES)),
        "begins_at": begins_at,
        "lapses_at": lapses_at,
        "number": 0 if last is None else last + 1,
        "index_key": os.urandom(_KEY_BYTES),
        "taken": 0,
    }
    await upsert(connection, status_lists, new, ("lapses_at", "number"), {})


def _revoked(listed: StatusList) -> Select[Any]:
    """A revoked token of this list expires within its window: an index finds the few that may be in it."""
    revoked = revoked_tokens.c
    within = (revoked.expires_at >= listed.begins_at, revoked.expires_at < listed.lapses_at)
    return select(_ENTRY.idx).where(
        _ENTRY.list_id == listed.list_id, _ENTRY.jti.in_(select(revoked.jti).where(*within))
    )


def _cut(listed: StatusList, kind: CutKind) -> Select[Any]:
    """By the rule of the replica: whatever carries the value and was issued by then."""
    cut, carried = revocation_cuts.c, _CARRIED[kind]
    by_value = cut.value == ("" if carried is None else carried)
    by_time = or_(cut.up_to.is_(None), _ENTRY.issued_at <= cut.up_to)
    # Not a join: SQLite would read the whole list once for each cut.
    refuses = exists().where(cut.kind == kind, by_value, by_time)
    return select(_ENTRY.idx).where(_ENTRY.list_id == listed.list_id, refuses)


def _to_row(entry: StatusEntry) -> dict[str, Any]:
    return {
        "list_id": entry.list_id,
        "idx": entry.index,
        "jti": entry.jti,
        "family_id": entry.family,
        "subject": entry.subject,
        "client_id": entry.client_id,
        "session_id": entry.session,
        "kid": entry.kid,
        "issued_at": entry.issued_at,
    }
