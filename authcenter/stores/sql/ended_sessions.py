"""Ending sessions, whether one by itself or all under a cut: however one ends, its clients are told."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.job import Job, logout_jobs
from authcenter.stores.sql.changes import note_change
from authcenter.stores.sql.sign_in_tables import session_clients, sessions
from authcenter.stores.sql.tables import clients
from authcenter.stores.sql.waiting_jobs import add_jobs

_SESSIONS_A_STATEMENT = 500


async def end_sessions(
    connection: AsyncConnection, which: ColumnElement[bool], at: datetime | ColumnElement[Any]
) -> int:
    """End all of ``which`` that have not ended; how many they were."""
    session = sessions.c
    ended = update(sessions).where(which, session.ended_at.is_(None)).values(ended_at=at)
    rows = (await connection.execute(ended.returning(session.session_id, session.subject, session.cookie_digest))).all()
    for row in rows:
        await note_change(connection, "session", row.cookie_digest.hex())
    for start in range(0, len(rows), _SESSIONS_A_STATEMENT):
        await add_jobs(connection, await _logouts(connection, rows[start : start + _SESSIONS_A_STATEMENT]))
    return len(rows)


async def _logouts(connection: AsyncConnection, ended: Sequence[Row[Any]]) -> list[Job]:
    """One job for each client of each session that has registered where to be told."""
    noted, client = session_clients.c, clients.c
    signed_in = (
        select(noted.session_id, client.client_id, client.relying_party)
        .join_from(session_clients, clients, noted.client_id == client.client_id)
        .where(noted.session_id.in_([row.session_id for row in ended]))
    )
    told = defaultdict[str, list[str]](list)
    for row in await connection.execute(signed_in):
        if row.relying_party.get("backchannel_logout_uri"):
            told[row.session_id].append(row.client_id)
    return list(chain.from_iterable(logout_jobs(row.session_id, row.subject, told[row.session_id]) for row in ended))
