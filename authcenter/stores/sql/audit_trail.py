"""The audit log in SQL, as whoever proves it reads it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, literal_column, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.errors import Conflict
from authcenter.core.event import EventKind
from authcenter.core.ids import SUBJECT_PREFIX
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter, AuditTrail, Checkpoint, Head, Heads, Page, read_heads
from authcenter.stores.ports.neighbourhood import (
    Neighbourhood,
    neighbourhood_of_request,
    neighbourhood_of_token,
)
from authcenter.stores.sql.audit import about_person
from authcenter.stores.sql.audit_rows import append_again
from authcenter.stores.sql.audit_tables import audit_checkpoints, audit_heads
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import auth_audit

_MOST_AT_ONCE = 1_000


class SqlAuditTrail(AuditTrail):
    """``auth_audit`` with ``audit_heads`` and ``audit_checkpoints``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, rows: Sequence[AuditRow]) -> None:
        for first in range(0, len(rows), _MOST_AT_ONCE):
            async with self._database.writing() as connection:
                await append_again(connection, rows[first : first + _MOST_AT_ONCE])

    async def chain(self, writer: str, after: int, most: int) -> Sequence[AuditRow]:
        row = auth_audit.c
        wanted = select(auth_audit).where(row.writer == writer, row.sequence > after).order_by(row.sequence)
        async with self._database.reading() as connection:
            return [AuditRow(**found) for found in (await connection.execute(wanted.limit(most))).mappings()]

    async def find(self, wanted: AuditFilter, most: int, older: tuple[str, str, int] | None = None) -> Page:
        row = auth_audit.c
        place = tuple_(row.occurred_at, row.writer, row.sequence)
        conditions = _conditions(wanted)
        if older is not None:
            conditions.append(place < older)
        newest = select(auth_audit).where(*conditions)
        newest = newest.order_by(row.occurred_at.desc(), row.writer.desc(), row.sequence.desc()).limit(most + 1)
        async with self._database.reading() as connection:
            rows = [AuditRow(**found) for found in (await connection.execute(newest)).mappings()]
        last = rows[most - 1] if len(rows) > most else None
        return Page(rows[:most], (last.occurred_at, last.writer, last.sequence) if last else None)

    async def writers(self) -> Sequence[str]:
        async with self._database.reading() as connection:
            return (await connection.execute(select(auth_audit.c.writer).distinct())).scalars().all()

    async def heads(self) -> Heads:
        async with self._database.reading() as connection:
            return await _heads(connection)

    async def moved_heads(self) -> Heads:
        async with self._database.reading() as connection:
            # A chain that is said to be further than it has come is not left out, as whoever wrote that may wish.
            return await _heads(connection, audit_heads.c.sequence != audit_heads.c.checkpointed)

    async def checkpointed(self) -> Mapping[str, int]:
        async with self._database.reading() as connection:
            found = await connection.execute(select(audit_heads.c.writer, audit_heads.c.checkpointed))
            return {one.writer: one.checkpointed for one in found}

    async def last_checkpoint(self) -> Checkpoint | None:
        newest = select(audit_checkpoints).order_by(audit_checkpoints.c.number.desc()).limit(1)
        async with self._database.reading() as connection:
            found = (await connection.execute(newest)).first()
        return _checkpoint(found) if found else None

    async def checkpoints(self, after: int, most: int) -> Sequence[Checkpoint]:
        number = audit_checkpoints.c.number
        behind = select(audit_checkpoints).where(number > after).order_by(number).limit(most)
        async with self._database.reading() as connection:
            return [_checkpoint(found) for found in (await connection.execute(behind)).all()]

    async def add_checkpoint(self, checkpoint: Checkpoint) -> bool:
        try:
            async with self._database.writing() as connection:
                await _add(connection, checkpoint)
        except Conflict:
            return False
        return True

    async def ended_before(self, instant: str) -> Heads:
        row = auth_audit.c
        # The clock of a writer may go back: its part ends before the first row that is not older.
        stays = select(row.writer, func.min(row.sequence).label("first")).where(row.occurred_at >= instant)
        first = stays.group_by(row.writer).subquery()
        last = select(row.writer, func.max(row.sequence).label("sequence"))
        last = last.outerjoin(first, first.c.writer == row.writer)
        ended = last.where(or_(first.c.first.is_(None), row.sequence < first.c.first)).group_by(row.writer).subquery()
        at = and_(row.writer == ended.c.writer, row.sequence == ended.c.sequence)
        async with self._database.reading() as connection:
            found = await connection.execute(select(row.writer, row.sequence, row.row_hash).join(ended, at))
            return {one.writer: Head(one.sequence, one.row_hash) for one in found}

    async def remove_archived(self, checkpoint: Checkpoint) -> bool:
        row = auth_audit.c
        try:
            async with self._database.writing() as connection:
                await _add(connection, checkpoint)
                await connection.execute(
                    delete(audit_checkpoints).where(audit_checkpoints.c.number < checkpoint.number)
                )
        except Conflict:
            if checkpoint not in await self.checkpoints(checkpoint.number - 1, 1):
                return False
        # In steps: should this end early, whoever asks again goes on.
        for writer, head in checkpoint.archived.items():
            taken = and_(row.writer == writer, row.sequence <= head.sequence)
            while True:
                oldest = select(row.sequence).where(taken).order_by(row.sequence).limit(_MOST_AT_ONCE).subquery()
                some = and_(row.writer == writer, row.sequence.in_(select(oldest.c.sequence)))
                async with self._database.writing() as connection:
                    if not (await connection.execute(delete(auth_audit).where(some))).rowcount:
                        break
        return True


async def _heads(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> Heads:
    found = await connection.execute(select(audit_heads).where(*conditions))
    return {one.writer: Head(one.sequence, one.row_hash) for one in found}


async def _add(connection: AsyncConnection, checkpoint: Checkpoint) -> None:
    values = {
        "number": checkpoint.number,
        "at": checkpoint.at,
        "heads": _text(checkpoint.heads),
        "archived": _text(checkpoint.archived),
        "complete": checkpoint.complete,
        "prev_hash": checkpoint.prev_hash,
        "key": checkpoint.key,
        "signature": checkpoint.signature,
    }
    await connection.execute(insert(audit_checkpoints).values(values))
    head = audit_heads.c
    for writer, reached in checkpoint.heads.items():
        wrong = or_(head.checkpointed < reached.sequence, head.checkpointed > head.sequence)
        mine = and_(head.writer == writer, wrong)
        await connection.execute(update(audit_heads).where(mine).values(checkpointed=reached.sequence))


def _text(heads: Heads) -> str:
    return json.dumps({writer: [head.sequence, head.row_hash] for writer, head in sorted(heads.items())})


def _checkpoint(row: Row[Any]) -> Checkpoint:
    try:
        heads, archived = read_heads(json.loads(row.heads)), read_heads(json.loads(row.archived))
    except (ValueError, RecursionError):
        # Tampered with: whoever verifies is to find it, and not to fail of it.
        return Checkpoint(row.number, row.at, {}, {}, row.complete, row.prev_hash, row.key, "")
    return Checkpoint(row.number, row.at, heads, archived, row.complete, row.prev_hash, row.key, row.signature)


def _or_beside(named: ColumnElement[bool], beside: Neighbourhood | None) -> ColumnElement[bool]:
    """Rows that carry a name themselves, and those that say it of a token among others."""
    if beside is None:
        return named
    row = auth_audit.c
    says = row.context.contains(beside.quoted, autoescape=True)
    about = row.request_id.between(beside.begins, beside.ends)
    return or_(named, and_(about, row.event == EventKind.TOKEN_ISSUED, says))


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    row = auth_audit.c
    conditions = [
        column == value
        for column, value in (
            (row.client_id, wanted.client_id),
            (row.family, wanted.family),
            (row.ip, wanted.ip),
        )
        if value
    ]
    if wanted.family:
        conditions.append(row.family != literal_column("''"))
    if wanted.request_id:
        conditions.append(_or_beside(row.request_id == wanted.request_id, neighbourhood_of_request(wanted.request_id)))
    if wanted.jti:
        named = and_(row.jti == wanted.jti, row.jti != literal_column("''"))
        conditions.append(_or_beside(named, neighbourhood_of_token(wanted.jti)))
    if wanted.event.endswith("."):
        conditions.append(row.event.startswith(wanted.event, autoescape=True))
    elif wanted.event:
        conditions.append(row.event == wanted.event)
    if wanted.person.startswith(SUBJECT_PREFIX):
        conditions.append(about_person(wanted.person))
    elif wanted.person:
        conditions.append(or_(row.actor == wanted.person, row.subject == wanted.person))
    if wanted.since:
        conditions.append(row.occurred_at >= wanted.since)
    if wanted.until:
        conditions.append(row.occurred_at < wanted.until)
    return conditions
