"""Ending sessions, whether one by itself or all under a cut."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.stores.sql.changes import note_change
from authcenter.stores.sql.tables import sessions


async def end_sessions(
    connection: AsyncConnection, which: ColumnElement[bool], at: datetime | ColumnElement[Any]
) -> int:
    """End all of ``which`` that have not ended; how many they were."""
    ended = update(sessions).where(which, sessions.c.ended_at.is_(None)).values(ended_at=at)
    digests = (await connection.execute(ended.returning(sessions.c.cookie_digest))).scalars().all()
    for digest in digests:
        await note_change(connection, "session", digest.hex())
    return len(digests)
