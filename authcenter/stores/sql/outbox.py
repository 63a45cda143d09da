"""The outbox in SQL. A claim locks what it takes, so that a job goes to one process alone, on both databases."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.event import Event
from authcenter.core.ids import uuid7
from authcenter.core.job import ClaimedJob, Job, Room
from authcenter.stores.ports.outbox import Outbox
from authcenter.stores.sql.database import Database, database_clock, now_on
from authcenter.stores.sql.sign_in_tables import outbox
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.waiting_jobs import LONGEST_ERROR

_MOST_RANKED = 1_000
_SPARE = 4
_WAITING = outbox.c.done_at.is_(None) & outbox.c.dead_at.is_(None)


class SqlOutbox(Outbox):
    """Jobs in the table ``outbox``; ``due_at`` is also when a lease lapses."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def add(self, jobs: Sequence[Job], events: Sequence[Event] = ()) -> None:
        async def write(_: AsyncConnection) -> bool:
            return True

        await self._transactions.commit(write, Consequences(events=events, jobs=tuple(jobs)))

    async def claim(self, holder: str, names: Collection[str], lease: timedelta, room: Room) -> Sequence[ClaimedJob]:
        row, claim = outbox.c, f"{holder}/{uuid7()}"
        claimed: list[ClaimedJob] = []

        async def write(connection: AsyncConnection) -> bool:
            now = await now_on(connection)
            # Read first, by a statement of its own: PostgreSQL, where it has no statistics yet, joins each row to each.
            first = [*(await connection.execute(_first(names, room, now))).scalars()]
            if not first:
                return True
            due = (
                select(row.job_id)
                .where(_WAITING, row.due_at <= now, row.job_id.in_(first))
                .order_by(row.due_at, row.job_id)
                .limit(room.most)
                .with_for_update(skip_locked=True)
                # Not a mere subquery, which PostgreSQL may run again for each row, and so past its limit.
                .cte("due")
            )
            taken = update(outbox).where(row.job_id.in_(select(due.c.job_id)))
            values = {"holder": claim, "due_at": now + lease, "attempts": row.attempts + 1}
            found = await connection.execute(taken.values(values).returning(*outbox.c))
            claimed.extend(
                ClaimedJob(Job(one.job, one.payload, one.job_id), one.holder, one.attempts, one.created_at)
                for one in found
            )
            return True

        await self._transactions.commit(write)
        return sorted(claimed, key=lambda one: (one.created_at, one.job.job_id))

    async def keep(self, claimed: ClaimedJob, lease: timedelta) -> bool:
        return await self._settle(claimed, {}, lease)

    async def done(self, claimed: ClaimedJob) -> bool:
        return await self._settle(claimed, {"done_at": database_clock(), "last_error": ""})

    async def postpone(self, claimed: ClaimedJob, delay: timedelta, error: str) -> bool:
        return await self._settle(claimed, {"holder": "", "last_error": error[:LONGEST_ERROR]}, delay)

    async def bury(self, claimed: ClaimedJob, error: str) -> bool:
        return await self._settle(claimed, {"dead_at": database_clock(), "last_error": error[:LONGEST_ERROR]})

    async def depth(self) -> int:
        async with self._database.reading() as connection:
            counted: int = (
                await connection.execute(select(func.count()).select_from(outbox).where(_WAITING))
            ).scalar_one()
            return counted

    async def _settle(self, claimed: ClaimedJob, values: dict[str, Any], delay: timedelta | None = None) -> bool:
        own = outbox.c.job_id == claimed.job.job_id, outbox.c.holder == claimed.claim, _WAITING

        async def write(connection: AsyncConnection) -> bool:
            later = {} if delay is None else {"due_at": await now_on(connection) + delay}
            return (await connection.execute(update(outbox).where(*own).values(values | later))).rowcount == 1

        return await self._transactions.commit(write)


def _first(names: Collection[str], room: Room, now: datetime) -> Select[Any]:
    """The ids of the longest due within the room of their lanes; more than asked for, as others may be taking some."""
    row, lane = outbox.c, outbox.c.job + " " + func.coalesce(outbox.c.payload["client_id"].as_string(), "")
    some = [name for name in room.lanes if room.of(name)]
    none = [name for name in room.lanes if not room.of(name)]
    # Those without room are left out before the limit: else, were they many, nobody else would come up.
    admitted = lane.not_in(none) if room.share else lane.in_(some)
    longest_due = (
        select(row.job_id, row.due_at, lane.label("lane"))
        .where(_WAITING, row.due_at <= now, row.job.in_(sorted(names)), admitted)
        .order_by(row.due_at, row.job_id)
        .limit(_MOST_RANKED)
        .subquery()
    )
    job = longest_due.c
    place = func.row_number().over(partition_by=job.lane, order_by=(job.due_at, job.job_id)).label("place")
    placed = select(job.job_id, job.due_at, job.lane, place).subquery().c
    its_room = {name: room.of(name) for name in some}
    within = case(its_room, value=placed.lane, else_=room.share) if some else room.share
    rest = select(placed.job_id).where(placed.place <= within).order_by(placed.due_at, placed.job_id)
    return rest.limit(_SPARE * room.most)
