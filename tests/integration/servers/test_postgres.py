"""The tests' PostgreSQL: real, private, and as mortal as the tests of the product need it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True) as server:
        yield server


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        connection.terminate()


async def test_each_database_is_fresh(server: PostgresServer) -> None:
    first, second = server.create_database(), server.create_database()
    async with connected(first) as connection:
        await connection.execute("CREATE TABLE mark (n int)")
    async with connected(second) as connection:
        assert await connection.fetchval("SELECT to_regclass('mark')") is None


async def test_a_database_can_be_copied(server: PostgresServer) -> None:
    template = server.create_database()
    async with connected(template) as connection:
        await connection.execute("CREATE TABLE mark (n int)")
        await connection.close()
    async with connected(server.create_database(template=template.rpartition("/")[2])) as connection:
        assert await connection.fetchval("SELECT count(*) FROM mark") == 0


async def test_what_was_committed_survives_a_kill(server: PostgresServer) -> None:
    url = server.create_database()
    async with connected(url) as connection:
        await connection.execute("CREATE TABLE mark AS SELECT 7 AS n")
        server.kill()
        assert not server.answers()
    server.restart()
    async with connected(url) as connection:
        assert await connection.fetchval("SELECT n FROM mark") == 7


async def test_a_frozen_server_is_silent_until_it_is_thawed(server: PostgresServer) -> None:
    async with connected(server.create_database()) as connection:
        server.freeze()
        query = asyncio.ensure_future(connection.fetchval("SELECT 7"))
        done, _ = await asyncio.wait([query], timeout=0.3)
        assert not done
        server.thaw()
        assert await query == 7
