"""Migrations lead to exactly the tables that the code knows, and back, also when several processes start at once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect

from authcenter.stores.sql.columns import metadata
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.schema import _config, schema_state, upgrade_schema

UPGRADE = """
import asyncio, sys
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.schema import upgrade_schema

async def main():
    database = Database(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    state = await upgrade_schema(database)
    await database.close()
    print("pending" if state.pending else "done")

asyncio.run(main())
"""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def _constraint_names(connection: Connection) -> set[str | None]:
    found = inspect(connection)
    names: set[str | None] = set()
    for table in _tables(connection):
        names.add(found.get_pk_constraint(table)["name"])
        names.update(key["name"] for key in found.get_foreign_keys(table))
    return names


async def test_migrations_lead_to_the_tables_of_the_code(empty_url: str) -> None:
    async with opened(empty_url) as database:
        await upgrade_schema(database)
        async with database.reading() as connection:
            assert await connection.run_sync(_differences) == []
            # These two kinds alembic does not compare.
            expected = {table.primary_key.name for table in metadata.sorted_tables} | {
                key.name for table in metadata.sorted_tables for key in table.foreign_key_constraints
            }
            assert {str(name) for name in await connection.run_sync(_constraint_names)} == {str(n) for n in expected}


async def test_the_schema_is_pending_until_it_is_upgraded(empty_url: str) -> None:
    async with opened(empty_url) as database:
        before = await schema_state(database)
        assert (before.current, before.pending) == (None, True)
        after = await upgrade_schema(database)
        assert (after.current, after.pending) == (before.newest, False)
        assert await schema_state(database) == after
        assert await upgrade_schema(database) == after


async def test_processes_that_upgrade_at_once_do_not_fail(empty_url: str) -> None:
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", UPGRADE, empty_url, stdin=pipe, stdout=pipe, stderr=pipe
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        await process.stdout.readline()
    outcomes = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert outcomes == [(b"done\n", b"")] * 3


async def test_the_first_migration_can_be_undone(empty_url: str) -> None:
    async with opened(empty_url) as database:
        await upgrade_schema(database)
        async with database.writing() as connection:
            await connection.run_sync(lambda migrated: command.downgrade(_config(migrated), "base"))
        async with database.reading() as connection:
            assert await connection.run_sync(_tables) == set()
        assert (await schema_state(database)).pending
        assert not (await upgrade_schema(database)).pending
