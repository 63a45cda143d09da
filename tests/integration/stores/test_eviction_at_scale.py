"""Eviction of 100,000 dead rows: by index, in transactions too short for anybody beside them to notice.

How long they took is printed (``-rP``), not asserted: a loaded machine proves nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, text

from authcenter.stores.ports.eviction import Evictable
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.eviction import LAPSING, SqlEviction, dead_families, dead_rows, evict_lapsed, oldest_families
from authcenter.stores.sql.sign_in_tables import authorization_codes
from authcenter.stores.sql.tables import changes, families, refresh_tokens, revocation_cuts, revoked_tokens
from tests.integration.stores.backends import sql_stores
from tests.integration.stores.samples import a_digest, a_family, a_refresh_token, a_revoked_token
from tests.integration.stores.test_codes import a_code

pytestmark = pytest.mark.long

ROWS = 100_000
ALIVE = 20_000
DAY = timedelta(days=1)


@pytest.fixture
async def database(sql_url: str) -> AsyncIterator[Database]:
    opened = Database(sql_url, statement_seconds=30)
    yield opened
    await opened.close()


async def write(database: Database, table: Any, rows: list[dict[str, Any]]) -> None:
    async with database.writing() as connection:
        for start in range(0, len(rows), 10_000):
            await connection.execute(insert(table), rows[start : start + 10_000])


def revoked_rows(many: int, first: int, now: datetime, expires_at: datetime) -> list[dict[str, Any]]:
    one = asdict(a_revoked_token(expires_at=expires_at)) | {"family_id": "f", "revoked_at": now}
    del one["family"]
    return [one | {"digest": a_digest(number)} for number in range(first, first + many)]


def family_rows(many: int, name: str, expires_at: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    one, token = a_family(), a_refresh_token(a_family().family_id, "")
    row = asdict(one) | {"scope": "", "audience": [], "session_id": "", "expires_at": expires_at}
    row["approved_at"] = expires_at - 2 * DAY
    ids = [f"{name}{number}" for number in range(many)]
    return [row | {"family_id": one} for one in ids], [
        asdict(token) | {"selector": f"{one}-{n}", "family_id": one, "expires_at": expires_at}
        for one in ids
        for n in range(2)
    ]


async def fill(database: Database) -> None:
    now = await database.now()
    for many, first, expires_at in ((ROWS, 0, now - DAY), (ALIVE, ROWS, now + DAY)):
        await write(database, revoked_tokens, revoked_rows(many, first, now, expires_at))
    for many, name, expires_at in ((ROWS // 10, "dead", now - 2 * DAY), (ALIVE // 4, "alive", now + DAY)):
        of_families, of_tokens = family_rows(many, name, expires_at)
        await write(database, families, of_families)
        await write(database, refresh_tokens, of_tokens)
    change = {"kind": "client", "number": 1, "changed_at": now - DAY}
    await write(database, changes, [change | {"key": str(number)} for number in range(ALIVE)])
    cut = {"kind": "jti", "reason": "", "up_to": None, "made_at": now - 2 * DAY, "expires_at": now - DAY}
    await write(database, revocation_cuts, [cut | {"value": str(number)} for number in range(ALIVE)])
    code = asdict(a_code(expires_at=now - DAY)) | {"scope": "", "audience": []}
    for first, many, spent_at in ((0, ALIVE, now - DAY), (ALIVE, ALIVE // 10, None)):
        numbers = range(first, first + many)
        rows = [code | {"digest": a_digest(n), "family_id": str(n), "spent_at": spent_at} for n in numbers]
        await write(database, authorization_codes, rows)
    async with database.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("ANALYZE"))


async def explained(database: Database, statement: Any) -> str:
    """How the database is going to find the rows."""
    dialect = database.engine.dialect
    compiled = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    kind = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
    async with database.reading() as connection:
        return "\n".join(str(row[-1]) for row in await connection.exec_driver_sql(f"{kind} {compiled}"))


async def test_a_hundred_thousand_dead_rows_are_found_by_index_and_block_nobody(
    database: Database, sql_url: str
) -> None:
    await fill(database)
    now = await database.now()
    other, eviction = Database(sql_url, statement_seconds=30), SqlEviction(Database(sql_url, statement_seconds=30))
    slowest_batch = slowest_request = 0.0
    over = asyncio.Event()

    await found_by_an_index(database, now)

    async def evict() -> int:
        nonlocal slowest_batch
        evicted = 0
        for table in Evictable:
            while True:
                began = time.perf_counter()
                batch = await eviction.evict(table, 500)
                slowest_batch = max(slowest_batch, time.perf_counter() - began)
                evicted += batch
                if not batch:
                    break
                await asyncio.sleep(0.005)
        over.set()
        return evicted

    async def requests() -> int:
        """Tokens are refreshed and revoked meanwhile."""
        nonlocal slowest_request
        done, beside = 0, sql_stores(other)
        one = a_family(approved_at=now, expires_at=now + DAY)
        held = a_refresh_token(one.family_id, "r0", issued_at=now, expires_at=now + DAY)
        await beside.refresh_tokens.open_family(one, held)
        while not over.is_set():
            began = time.perf_counter()
            done += 1
            successor = a_refresh_token(one.family_id, f"r{done}", issued_at=now, expires_at=now + DAY)
            assert await beside.refresh_tokens.rotate(held, successor, None)
            assert await beside.revocations.revoke(a_revoked_token(10**6 + done, expires_at=now + DAY))
            slowest_request, held = max(slowest_request, time.perf_counter() - began), successor
            await asyncio.sleep(0.01)
        return done

    evicted, done = await asyncio.gather(evict(), requests())
    await eviction._database.close()
    await other.close()
    print(
        f"{database.dialect}: {evicted} rows; slowest batch {slowest_batch * 1000:.0f} ms;"
        f" slowest of {done} refreshes with a revocation {slowest_request * 1000:.0f} ms"
    )
    assert evicted >= ROWS + 3 * ROWS // 10 + 2 * ALIVE
    async with database.reading() as connection:
        for table, alive in (
            (revoked_tokens, ALIVE + done),
            (families, ALIVE // 4 + 1),
            (refresh_tokens, ALIVE // 2 + done + 1),
            (changes, 0),
            (authorization_codes, ALIVE),
            (revocation_cuts, 0),
        ):
            count = (await connection.execute(text(f"SELECT count(*) FROM {table.name}"))).scalar_one()
            assert count == alive, table.name


async def found_by_an_index(database: Database, now: datetime) -> None:
    """Every kind of dead rows is."""
    (ended, ended_at), (lapsed, expires_at) = dead_families(now)
    by_index = {
        "ix_revoked_tokens_expires_at": evict_lapsed(LAPSING[Evictable.REVOKED][0], now, 500),
        "ix_revocation_cuts_expires_at": evict_lapsed(LAPSING[Evictable.CUTS][0], now, 500),
        "ix_changes_changed_at": evict_lapsed(LAPSING[Evictable.CHANGES][0], now, 500),
        "ix_authorization_codes_spent_at_expires_at": evict_lapsed(LAPSING[Evictable.CODES][0], now, 500),
        "ix_authorization_codes_family_id": delete(authorization_codes).where(
            authorization_codes.c.family_id.in_(["1", "2"])
        ),
        "ix_token_families_ended_at": oldest_families(ended, ended_at, 500),
        "ix_token_families_expires_at": oldest_families(lapsed, expires_at, 500),
        "ix_refresh_tokens_family_id": dead_rows(Evictable.REFRESH_TOKENS, now)[0],
    }
    for index, statement in by_index.items():
        found = await explained(database, statement)
        print(f"{index}:\n{found}\n")
        assert index in found
