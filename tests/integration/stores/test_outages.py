"""What an SQL error means: a database that is gone is ``StoreUnavailable``, for as long as it is gone."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from authcenter.audit.chain import GENESIS, link
from authcenter.core.clock import SystemClock
from authcenter.core.cut import CutKind
from authcenter.core.errors import StoreUnavailable
from authcenter.stores.sql import database as database_limits
from authcenter.stores.sql.audit import SqlAuditLog
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.schema import schema_state, upgrade_schema
from authcenter.stores.sql.transactions import Transactions
from tests.integration.stores.backends import Stores, sql_stores, sqlite_url
from tests.integration.stores.samples import SOME_TIME, a_client, a_revoked_token, a_user, an_event, cutting, recorded
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.long

POOL = 20
HANG_SECONDS = 60
about_limits = pytest.mark.parametrize("limit_seconds", [3.0], ids=["three seconds"])


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A server that these tests may kill."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def limit_seconds() -> float:
    """For a statement, and for a connection of the pool: what a busy machine may take, where the test does not say."""
    return HANG_SECONDS


@pytest.fixture
async def database(
    mortal: PostgresServer, limit_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    # As long as these tests can wait: twenty connections at once take a busy machine their time.
    monkeypatch.setattr(database_limits, "_POOL_WAIT_SECONDS", limit_seconds)
    monkeypatch.setattr(database_limits, "_CONNECT_SECONDS", 10.0)
    database = Database(mortal.create_database(), statement_seconds=limit_seconds)
    await upgrade_schema(database)
    yield database
    mortal.thaw()
    await database.close()


@pytest.fixture
def stores(database: Database) -> Stores:
    return sql_stores(database)


async def fill_pool(stores: Stores) -> None:
    await asyncio.gather(*(stores.clients.find("shop") for _ in range(POOL)))


async def flush(database: Database) -> None:
    """Have what was committed so far survive a kill, which this server does not promise by itself, for speed."""
    async with database.writing() as connection:
        await connection.execute(text("SET LOCAL synchronous_commit = on"))
        await connection.execute(text("COMMENT ON TABLE clients IS 'flushed'"))


CALLS: list[Callable[[Stores], Awaitable[Any]]] = [
    lambda stores: stores.clients.find("shop"),
    lambda stores: stores.clients.add(a_client("new")),
    lambda stores: stores.clients.add(a_client("new"), (), recorded()),
    lambda stores: stores.users.add(a_user(), "hash"),
    lambda stores: stores.refresh_tokens.find("selector"),
    lambda stores: stores.revocations.revoke(a_revoked_token()),
    lambda stores: stores.revocations.cut(cutting(CutKind.CLIENT, "shop")),
    lambda stores: anext(stores.revocations.all_tokens(SOME_TIME)),
    lambda stores: stores.revocations.recent(60),
    lambda stores: stores.revocations.now(),
    lambda stores: stores.changes.recent_changes(60),
    lambda stores: stores.keys.list_keys(),
    lambda stores: stores.audit.rows(),
]


async def test_a_killed_server_is_unavailable_until_it_is_back(
    mortal: PostgresServer, stores: Stores, database: Database
) -> None:
    await stores.clients.add(a_client(), (), recorded())
    await fill_pool(stores)
    await flush(database)
    mortal.kill()
    for call in CALLS:
        with pytest.raises(StoreUnavailable):
            await call(stores)
    with pytest.raises(StoreUnavailable):
        await schema_state(database)
    mortal.restart()
    await stores.clients.add(a_client("new"), (), recorded())
    assert await stores.clients.list_clients() == [a_client("new"), a_client()]
    assert len(await stores.proven_rows()) == 2


async def test_connections_that_died_in_the_pool_fail_nobody(
    mortal: PostgresServer, stores: Stores, database: Database
) -> None:
    await fill_pool(stores)
    await flush(database)
    mortal.kill()
    mortal.restart()
    # The loop has to turn once to hear of it, as it does all the time in a server.
    await asyncio.sleep(0.05)
    writes = [stores.clients.add(a_client(f"client {number}"), (), recorded()) for number in range(POOL)]
    reads = [stores.clients.find("shop") for _ in range(POOL)]
    await asyncio.gather(*writes, *reads)
    assert len(await stores.proven_rows()) == POOL


async def test_sessions_ended_by_an_operator_fail_nobody(
    mortal: PostgresServer, stores: Stores, database: Database
) -> None:
    await fill_pool(stores)
    operator = Database(database.url, statement_seconds=HANG_SECONDS)
    async with operator.writing() as connection:
        # Each is waited for until its process is gone, and its socket with it.
        ended = f"SELECT pg_terminate_backend(pid, {HANG_SECONDS * 1000}) FROM pg_stat_activity"
        await connection.execute(text(f"{ended} WHERE datname = current_database() AND pid <> pg_backend_pid()"))
    await operator.close()
    await asyncio.sleep(0.05)
    await fill_pool(stores)
    await stores.clients.add(a_client())


@about_limits
async def test_a_frozen_server_is_unavailable_within_the_time_limits(mortal: PostgresServer, stores: Stores) -> None:
    await fill_pool(stores)
    mortal.freeze()
    reads = [stores.clients.find("shop") for _ in range(2 * POOL)]
    async with asyncio.timeout(HANG_SECONDS):
        answers = await asyncio.gather(*reads, stores.clients.add(a_client(), (), recorded()), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    mortal.thaw()
    await fill_pool(stores)
    await stores.clients.add(a_client("new"), (), recorded())
    assert [client.client_id for client in await stores.clients.list_clients()] == ["new"]
    assert len(await stores.proven_rows()) == 1


async def test_a_frozen_server_does_not_keep_this_process_from_ending(
    mortal: PostgresServer, stores: Stores, database: Database
) -> None:
    await fill_pool(stores)
    mortal.freeze()
    async with asyncio.timeout(HANG_SECONDS):
        await database.close()


@about_limits
async def test_a_lock_held_elsewhere_is_waited_for_only_so_long(stores: Stores, database: Database) -> None:
    await stores.clients.add(a_client())
    async with database.writing() as connection:
        await connection.execute(text("LOCK TABLE clients IN EXCLUSIVE MODE"))
        async with asyncio.timeout(HANG_SECONDS):
            with pytest.raises(StoreUnavailable, match="timeout"):
                await stores.clients.replace(a_client(), (), recorded())
        assert await stores.clients.find("shop") == a_client()
    assert await stores.clients.replace(a_client(), (), recorded())
    assert len(await stores.proven_rows()) == 1


@about_limits
async def test_a_full_pool_is_unavailable(stores: Stores, database: Database) -> None:
    async def hold(filled: asyncio.Barrier, done: asyncio.Event) -> None:
        async with database.reading() as connection:
            await connection.execute(text("SELECT 1"))
            await filled.wait()
            await done.wait()

    filled, done = asyncio.Barrier(POOL + 1), asyncio.Event()
    holders = [asyncio.ensure_future(hold(filled, done)) for _ in range(POOL)]
    await filled.wait()
    with pytest.raises(StoreUnavailable):
        await stores.clients.find("shop")
    done.set()
    await asyncio.gather(*holders)
    assert await stores.clients.find("shop") is None


async def test_an_sql_error_shows_no_parameters(stores: Stores, database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE users RENAME TO people"))
    with pytest.raises(StoreUnavailable) as outage:
        await stores.users.add(a_user(), "a-password-hash")
    assert "users" in str(outage.value)
    assert "a-password-hash" not in str(outage.value)


async def test_an_sqlite_file_locked_elsewhere_is_unavailable(migrated_sqlite: Path, tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database(sqlite_url(path), statement_seconds=0.2)
    stores = sql_stores(database)
    await stores.clients.add(a_client())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await stores.clients.replace(a_client(), (), recorded())
        # Readers do not wait for writers.
        assert await stores.clients.find("shop") == a_client()
        other.execute("ROLLBACK")
    assert await stores.clients.replace(a_client(), (), recorded())
    assert len(await stores.proven_rows()) == 1
    await database.close()


async def test_an_sqlite_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "directory.db").mkdir()
    before = set(threading.enumerate())
    database = Database(sqlite_url(tmp_path / "directory.db"))
    with pytest.raises(StoreUnavailable):
        await schema_state(database)
    await database.close()
    # The driver's threads have yet to tell the loop that they end.
    for thread in set(threading.enumerate()) - before:
        await asyncio.to_thread(thread.join)


async def test_a_chain_that_moved_on_unseen_is_no_conflict_and_heals(database: Database) -> None:
    first = Transactions(database, SystemClock(), link, GENESIS, lambda event: None)
    second = Transactions(database, SystemClock(), link, GENESIS, lambda event: None)
    second._writer = first._writer
    await SqlAuditLog(database, first).append(an_event())
    log = SqlAuditLog(database, second)
    with pytest.raises(StoreUnavailable):
        await log.append(an_event())
    await log.append(an_event())
    assert [row.sequence for row in await sql_stores(database).proven_rows()] == [1, 2]
