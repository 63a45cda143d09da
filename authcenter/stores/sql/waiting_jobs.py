"""Leaving jobs in the outbox, in the transaction of what they follow from."""

from collections.abc import Iterable

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.job import Job
from authcenter.stores.sql.database import now_on
from authcenter.stores.sql.sign_in_tables import outbox

LONGEST_ERROR = 255
_ROWS_A_STATEMENT = 500


async def add_jobs(connection: AsyncConnection, jobs: Iterable[Job]) -> None:
    """Due at once, or after their delay. One that is there already is left as it is."""
    rest = list(jobs)
    if not rest:
        return
    now = await now_on(connection)
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    rows = [
        {
            "job_id": job.job_id,
            "job": job.name,
            "payload": dict(job.payload),
            "created_at": now,
            "due_at": now + job.delay,
            "attempts": 0,
            "holder": "",
            "last_error": "",
        }
        for job in rest
    ]
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        some = rows[start : start + _ROWS_A_STATEMENT]
        await connection.execute(insert(outbox).on_conflict_do_nothing(index_elements=["job_id"]), some)
