"""Requests explained, in SQL."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Column, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from authcenter.core.errors import Conflict, StoreUnavailable
from authcenter.stores.ports.request_traces import RequestTrace, RequestTraces, TraceFilter
from authcenter.stores.sql.audit_tables import request_traces
from authcenter.stores.sql.database import Database


class SqlRequestTraces(RequestTraces):
    """``request_traces``; strangers' rows lie in slots, each overwritten by the next of its number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, traces: Sequence[RequestTrace]) -> None:
        insert = sqlite.insert if self._database.dialect == "sqlite" else postgresql.insert
        statement = insert(request_traces)
        new = {column.name: statement.excluded[column.name] for column in request_traces.columns}
        over = statement.on_conflict_do_update(index_elements=["slot"], set_=new)
        # A process whose answer was lost says it again.
        again = delete(request_traces).where(request_traces.c.request_id.in_([one.request_id for one in traces]))
        try:
            async with self._database.writing() as connection:
                await connection.execute(again)
                await connection.execute(over, [asdict(one) for one in traces])
        except Conflict as landed:
            raise StoreUnavailable("database: what was given up on was written after all, just now") from landed

    async def get(self, request_id: str) -> RequestTrace | None:
        wanted = select(request_traces).where(request_traces.c.request_id == request_id)
        async with self._database.reading() as connection:
            found = (await connection.execute(wanted)).mappings().first()
        return RequestTrace(**found) if found else None

    async def find(self, wanted: TraceFilter, most: int) -> Sequence[RequestTrace]:
        row = request_traces.c
        pairs: list[tuple[Column[str], str]] = [
            (row.client_id, wanted.client_id),
            (row.rule, wanted.rule),
            (row.ip, wanted.ip),
        ]
        conditions = [column == value for column, value in pairs if value]
        if wanted.refused:
            conditions.append(row.rule != "")
        if wanted.since is not None:
            conditions.append(row.at >= wanted.since)
        if wanted.until is not None:
            conditions.append(row.at < wanted.until)
        newest = select(request_traces).where(*conditions).order_by(row.at.desc(), row.request_id.desc()).limit(most)
        async with self._database.reading() as connection:
            return [RequestTrace(**found) for found in (await connection.execute(newest)).mappings()]
