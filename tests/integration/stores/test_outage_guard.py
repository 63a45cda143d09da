"""The guard: a server that is gone costs one time limit, not one a request; what only waits is left alone."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.errors import StoreUnavailable
from authcenter.stores.sql import database as database_limits
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.schema import upgrade_schema
from tests.integration.stores.backends import Stores, sql_stores, sqlite_url
from tests.integration.stores.samples import a_client, recorded
from tests.servers.postgres import PostgresServer

POOL = 20
# A hang limit, far from what is usual: 1.6 s until silence is known, then well under a millisecond a request.
HANG_SECONDS = 60
# Whoever waited for a connection or an answer would wait half a second at least: so many would take minutes.
REQUESTS = 300
IMPATIENT = {name: getattr(database_limits, name) for name in ("_PROBE_SECONDS", "_CONNECT_SECONDS")}


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A server that these tests may kill."""
    with PostgresServer(durable=True) as server:
        yield server


@pytest.fixture
def told() -> list[tuple[bool, str]]:
    """What was said of the server."""
    return []


@pytest.fixture(autouse=True)
def slow_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on a busy machine is not taken for one that has fallen silent."""
    for name in IMPATIENT:
        monkeypatch.setattr(database_limits, name, HANG_SECONDS)
    monkeypatch.setattr(database_limits, "_POOL_WAIT_SECONDS", 0.5)


@contextmanager
def frozen(server: PostgresServer) -> Iterator[None]:
    """It falls silent, and what asks it then has the product's own limits."""
    with pytest.MonkeyPatch.context() as patched:
        for name, seconds in IMPATIENT.items():
            patched.setattr(database_limits, name, seconds)
        server.freeze()
        try:
            yield
        finally:
            server.thaw()


@pytest.fixture
def statement_seconds() -> float:
    """What a statement may take: as long as a busy machine needs, unless the test is about just that."""
    return HANG_SECONDS


@pytest.fixture
async def database(
    mortal: PostgresServer, statement_seconds: float, told: list[tuple[bool, str]]
) -> AsyncIterator[Database]:
    url = mortal.create_database()
    database = Database(url, statement_seconds=statement_seconds, on_outage=lambda up, hint: told.append((up, hint)))
    await upgrade_schema(database)
    yield database
    mortal.thaw()
    if not mortal.child.running:
        mortal.start()
    await database.close()


@pytest.fixture
def stores(database: Database) -> Stores:
    return sql_stores(database)


async def back(told: list[tuple[bool, str]]) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while not told[-1][0]:
            await asyncio.sleep(0.01)


async def refused_at_once(stores: Stores) -> None:
    """Many requests, of all kinds, none of which waits for anything."""
    async with asyncio.timeout(HANG_SECONDS):
        for number in range(REQUESTS):
            with pytest.raises(StoreUnavailable):
                await (stores.clients.add(a_client("new"), (), recorded()) if number % 2 else stores.clients.find("x"))


async def test_a_silent_server_is_waited_for_once(
    mortal: PostgresServer, stores: Stores, told: list[tuple[bool, str]]
) -> None:
    await asyncio.gather(*(stores.clients.find("shop") for _ in range(POOL)))
    with frozen(mortal):
        async with asyncio.timeout(HANG_SECONDS):
            asked = [stores.clients.find("shop") for _ in range(2 * POOL)]
            asked.append(stores.clients.add(a_client(), (), recorded()))
            answers = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        await refused_at_once(stores)
        assert [up for up, _ in told] == [False]
    await back(told)
    await stores.clients.add(a_client("new"), (), recorded())
    assert await stores.clients.find("new") == a_client("new")
    assert len(await stores.proven_rows()) == 1


async def test_a_killed_server_is_known_to_be_gone(
    mortal: PostgresServer, stores: Stores, told: list[tuple[bool, str]]
) -> None:
    await stores.clients.find("shop")
    mortal.kill()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await stores.clients.find("shop")
    assert [up for up, _ in told] == [False]
    assert "refused" in told[0][1].lower() or "connect" in told[0][1].lower()
    await refused_at_once(stores)
    mortal.restart()
    await back(told)
    assert await stores.clients.find("shop") is None


@pytest.mark.parametrize("statement_seconds", [2.0], ids=["two seconds"])
async def test_a_lock_that_is_held_elsewhere_is_no_outage(
    stores: Stores, database: Database, told: list[tuple[bool, str]]
) -> None:
    await stores.clients.add(a_client())
    async with database.writing() as connection:
        await connection.execute(text("LOCK TABLE clients IN EXCLUSIVE MODE"))
        # Both are asked after while they wait, the holder too: a question that the server answers.
        with pytest.raises(StoreUnavailable, match="timeout"):
            await stores.clients.replace(a_client(), (), recorded())
        assert await stores.clients.find("shop") == a_client()
    assert await stores.clients.replace(a_client(), (), recorded())
    assert told == []


async def test_a_session_ended_under_a_statement_is_no_outage(
    stores: Stores, database: Database, told: list[tuple[bool, str]]
) -> None:
    async def sleep() -> None:
        async with database.reading() as connection:
            await connection.execute(text("SELECT pg_sleep(60)"))

    sleeping = asyncio.create_task(sleep())
    terminated = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
    ended = 0
    while not ended:
        async with database.writing() as connection:
            ended = (await connection.execute(text(terminated))).scalar_one()
    with pytest.raises(StoreUnavailable):
        await sleeping
    assert await stores.clients.find("shop") is None
    assert told == []


WAYS = {"reading": Database.reading, "writing": Database.writing, "streaming": Database.streaming}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_connections_that_are_ended_as_soon_as_they_are_open_are_unavailable(
    way: Callable[[Database], AbstractAsyncContextManager[AsyncConnection]],
    database: Database,
    told: list[tuple[bool, str]],
) -> None:
    """As by a proxy that hangs up, or an operator who ends every session."""

    def end(connection: Any, _: object) -> None:
        connection.driver_connection.terminate()

    event.listen(database.engine.sync_engine, "connect", end)
    await database.engine.dispose()
    with pytest.raises(StoreUnavailable):
        async with way(database):
            raise AssertionError
    event.remove(database.engine.sync_engine, "connect", end)
    async with way(database) as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    assert told == []


async def test_a_full_pool_is_no_outage(stores: Stores, database: Database, told: list[tuple[bool, str]]) -> None:
    async def hold(done: asyncio.Event) -> None:
        async with database.reading() as connection:
            await connection.execute(text("SELECT 1"))
            await done.wait()

    done = asyncio.Event()
    holders = [asyncio.create_task(hold(done)) for _ in range(POOL)]
    await asyncio.sleep(0)
    while database.engine.pool.checkedout() < POOL:  # type: ignore[attr-defined]
        await asyncio.sleep(0.01)
    with pytest.raises(StoreUnavailable):
        await stores.clients.find("shop")
    done.set()
    await asyncio.gather(*holders)
    assert told == []


async def test_a_server_that_answers_no_is_there(mortal: PostgresServer, told: list[tuple[bool, str]]) -> None:
    url = f"{mortal.create_database()}-of-another-name"
    database = Database(url, on_outage=lambda up, hint: told.append((up, hint)))
    with pytest.raises(StoreUnavailable, match="does not exist"):
        await database.now()
    assert told == []
    await database.close()


async def test_who_streams_is_not_broken_off_between_two_rows(
    mortal: PostgresServer, stores: Stores, database: Database, told: list[tuple[bool, str]]
) -> None:
    async def stream() -> None:
        async with database.streaming() as connection:
            await connection.execute(text("SELECT 1"))
            mortal.kill()
            with pytest.raises(StoreUnavailable):
                await stores.clients.find("shop")
            await asyncio.sleep(0.01)
            waited.set()

    waited = asyncio.Event()
    # Its own connection is gone as well, and says so when it is used again: at the end, not while it waits.
    with pytest.raises(StoreUnavailable):
        await stream()
    assert waited.is_set()
    assert [up for up, _ in told] == [False]


async def test_one_command_waits_for_the_limits_and_starts_no_probe(mortal: PostgresServer) -> None:
    url = mortal.create_database()
    before = len(asyncio.all_tasks())
    with frozen(mortal):
        impatient = Database(url)
        with pytest.raises(StoreUnavailable):
            await impatient.now()
        await impatient.close()
    assert len(asyncio.all_tasks()) == before
    patient = Database(url)
    assert await patient.now()
    await patient.close()


async def test_an_sqlite_file_locked_elsewhere_is_no_outage(
    migrated_sqlite: Path, tmp_path: Path, told: list[tuple[bool, str]]
) -> None:
    path = tmp_path / "locked.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    url = sqlite_url(path)
    database = Database(url, statement_seconds=0.2, on_outage=lambda up, hint: told.append((up, hint)))
    stores = sql_stores(database)
    await stores.clients.add(a_client())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await stores.clients.replace(a_client(), (), recorded())
        assert await stores.clients.find("shop") == a_client()
        other.execute("ROLLBACK")
    assert await stores.clients.replace(a_client(), (), recorded())
    assert told == []
    await database.close()
