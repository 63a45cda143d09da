"""Conformance of ``RequestTraces``: requests to be explained, and the ring of those of strangers."""

import asyncio
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlalchemy import insert, text

from authcenter.audit.traces import Traced, TraceLog
from authcenter.core.clock import SystemClock
from authcenter.core.errors import StoreUnavailable
from authcenter.core.ids import RequestId
from authcenter.core.origin import RequestOrigin
from authcenter.stores.ports.eviction import Evictable
from authcenter.stores.ports.request_traces import RequestTrace, TraceFilter
from authcenter.stores.sql.audit_tables import request_traces
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.request_traces import SqlRequestTraces
from tests.integration.stores.backends import Stores
from tests.integration.stores.conftest import PATIENT_SECONDS
from tests.servers.postgres import PostgresServer

AT = datetime(2030, 1, 1, tzinfo=UTC)


def trace(number: int, **fields: object) -> RequestTrace:
    made = RequestTrace(
        request_id=f"request {number}",
        at=AT + timedelta(seconds=number),
        method="POST",
        route="/oauth/token",
        status=400,
        client_id="app",
        ip="192.0.2.1",
        user_agent="tests",
        rule="pkce_mismatch",
        hint="expected a, got b",
        checks='[["pkce",false,{}]]',
        expires_at=AT + timedelta(days=7),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


async def test_what_was_kept_is_found_by_its_request(stores: Stores) -> None:
    kept = [trace(1), trace(2, slot=7, client_id="", rule="", hint="ä\n\u202e")]
    await stores.traces.keep(kept)
    assert await stores.traces.get("request 1") == kept[0]
    assert await stores.traces.get("request 2") == kept[1]
    assert await stores.traces.get("request 3") is None


async def test_a_slot_holds_the_latest_request(stores: Stores) -> None:
    await stores.traces.keep([trace(1, slot=7), trace(2, slot=8), trace(3, slot=7)])
    await stores.traces.keep([trace(4, slot=8), trace(5)])
    found = await stores.traces.find(TraceFilter(), 10)
    assert [one.request_id for one in found] == ["request 5", "request 4", "request 3"]


async def test_a_request_that_is_brought_again_is_one_request(stores: Stores) -> None:
    await stores.traces.keep([trace(1), trace(2, slot=7)])
    await stores.traces.keep([trace(1), trace(2, slot=7)])
    assert len(await stores.traces.find(TraceFilter(), 10)) == 2


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TraceFilter(), [3, 2, 1]),
        (TraceFilter(client_id="app"), [2, 1]),
        (TraceFilter(rule="code_expired"), [2]),
        (TraceFilter(ip="192.0.2.9"), [3]),
        (TraceFilter(refused=True), [2, 1]),
        (TraceFilter(since=AT + timedelta(seconds=2)), [3, 2]),
        (TraceFilter(until=AT + timedelta(seconds=2)), [1]),
        (TraceFilter(client_id="other", refused=True), []),
    ],
    ids=str,
)
async def test_requests_are_found_by_client_and_time(stores: Stores, wanted: TraceFilter, found: list[int]) -> None:
    await stores.traces.keep(
        [trace(1), trace(2, rule="code_expired"), trace(3, rule="", client_id="other", ip="192.0.2.9")]
    )
    assert [one.request_id for one in await stores.traces.find(wanted, 10)] == [f"request {one}" for one in found]
    assert len(await stores.traces.find(wanted, 1)) == min(1, len(found))


async def test_what_has_lapsed_is_evicted(stores: Stores) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    await stores.traces.keep([trace(1, expires_at=past), trace(2, expires_at=datetime.now(UTC) + timedelta(days=1))])
    assert await stores.eviction.backlog(Evictable.REQUEST_TRACES, 10) == 1
    assert await stores.eviction.evict(Evictable.REQUEST_TRACES, 10) == 1
    assert [one.request_id for one in await stores.traces.find(TraceFilter(), 10)] == ["request 2"]


STRANGE = [
    pytest.param("A" * 301, "192.0.2.1", id="a long client id"),
    pytest.param("a\0b", "192.0.2.1", id="NUL"),
    pytest.param("a\ud800b", "192.0.2.1", id="a lone surrogate"),
    pytest.param("\ud800" * 200, "192.0.2.1", id="longer once it is written out"),
    pytest.param("app", "fe80::1%" + "a" * 200, id="a long zone"),
]


@pytest.mark.parametrize(("client_id", "ip"), STRANGE)
async def test_whatever_strangers_send_is_kept_as_far_as_there_is_room(stores: Stores, client_id: str, ip: str) -> None:
    log = TraceLog(stores.traces, SystemClock(), lambda: 60, structlog.get_logger())
    for number, (named, came_from) in enumerate([(client_id, ip), ("next", "192.0.2.1")]):
        origin = RequestOrigin(RequestId(f"r{number}"), came_from, client_id)
        log.record(Traced(origin, "POST", "/oauth/token", 401, named, "r", client_id, [], known=False))
    await log.flush()
    assert {one.request_id for one in await stores.traces.find(TraceFilter(), 10)} == {"r0", "r1"}


async def test_what_lands_while_it_is_brought_again_is_an_outage_and_no_defect(
    postgres_server: PostgresServer, migrated_postgres: str
) -> None:
    database = Database(postgres_server.create_database(template=migrated_postgres), statement_seconds=PATIENT_SECONDS)
    traces = SqlRequestTraces(database)
    try:
        async with database.writing() as given_up_on:
            await given_up_on.execute(insert(request_traces).values(asdict(trace(1))))
            again = asyncio.create_task(traces.keep([trace(1)]))
            async with asyncio.timeout(PATIENT_SECONDS):
                while not await _somebody_waits(database):
                    await asyncio.sleep(0.01)
        with pytest.raises(StoreUnavailable):
            await again
        await traces.keep([trace(1)])
        assert len(await traces.find(TraceFilter(), 10)) == 1
    finally:
        await database.close()


async def _somebody_waits(database: Database) -> bool:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
    async with database.reading() as connection:
        return bool((await connection.execute(waiting)).scalar_one())
