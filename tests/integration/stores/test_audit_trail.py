"""Conformance of ``AuditTrail``: the log as whoever proves it reads it, on every backend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.audit.archive import ArchiveFile, archive
from authcenter.audit.chain import GENESIS, link
from authcenter.audit.checkpoints import next_checkpoint
from authcenter.audit.issued_together import OwnToken, Shared, as_wanted
from authcenter.audit.sources import Table
from authcenter.audit.verification import verify
from authcenter.audit.watching import YoungRows
from authcenter.core.clock import SystemClock
from authcenter.core.errors import InvalidInput, StoreUnavailable
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import RequestId, milliseconds_of_uuid7, new_jti, uuid7, uuid7_at
from authcenter.core.origin import RequestOrigin
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import EVERYTHING, AuditFilter, Checkpoint, Head
from authcenter.stores.sql.audit_tables import audit_checkpoints, audit_heads
from authcenter.stores.sql.audit_trail import SqlAuditTrail
from authcenter.stores.sql.database import Database
from tests.integration.stores.backends import KEYS, Stores, sql_stores
from tests.integration.stores.conftest import PATIENT_SECONDS
from tests.integration.stores.samples import an_event
from tests.issued import together

AT = datetime(2030, 1, 1, tzinfo=UTC)


def chain(writer: str, count: int, behind: AuditRow | None = None) -> list[AuditRow]:
    """Rows a second apart, each the issuance of a token."""
    rows, before = list[AuditRow](), behind
    for _ in range(count):
        sequence = before.sequence + 1 if before else 1
        origin = RequestOrigin(RequestId(f"{writer}-{sequence}"), f"192.0.2.{sequence}")
        context = {"jti": f"{writer}.{sequence}", "fam": f"family {sequence % 2}"}
        event = Event(EventKind.TOKEN_ISSUED, "app", "app", f"usr_{sequence % 2}", origin, context)
        at = AT + timedelta(seconds=sequence)
        before = link(event, at, writer, sequence, before.row_hash if before else GENESIS)
        rows.append(before)
    return rows


def head(row: AuditRow) -> Head:
    return Head(row.sequence, row.row_hash)


async def sign(stores: Stores) -> Checkpoint:
    last = await stores.trail.last_checkpoint()
    made = KEYS.sign(next_checkpoint(last, AT, await stores.trail.moved_heads()))
    assert await stores.trail.add_checkpoint(made)
    return made


async def test_rows_are_kept_once_however_often_they_are_brought(stores: Stores) -> None:
    rows = chain("w", 5)
    await stores.trail.append(rows[:3])
    await stores.trail.append(rows[1:])
    await stores.trail.append(rows[:2])
    assert list(await stores.trail.chain("w", 0, 100)) == rows
    assert await stores.trail.heads() == {"w": head(rows[-1])}


async def test_many_rows_are_kept_in_one_call(stores: Stores) -> None:
    rows = chain("w", 1_203)
    await stores.trail.append(rows)
    assert len(await stores.trail.chain("w", 0, 5_000)) == 1_203


async def test_a_chain_is_read_in_parts(stores: Stores) -> None:
    rows = chain("w", 5)
    await stores.trail.append(rows)
    await stores.trail.append(chain("v", 2))
    assert list(await stores.trail.chain("w", 1, 2)) == rows[1:3]
    assert list(await stores.trail.chain("w", 5, 2)) == []
    assert sorted(await stores.trail.writers()) == ["v", "w"]


async def test_what_comes_with_a_write_moves_its_head_too(stores: Stores) -> None:
    await stores.audit.append(an_event())
    (row,) = await stores.proven_rows()
    assert await stores.trail.heads() == {row.writer: head(row)} == await stores.trail.moved_heads()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (EVERYTHING, {1, 2, 3, 4}),
        (AuditFilter(event="token.issued"), {1, 2, 3, 4}),
        (AuditFilter(event="token."), {1, 2, 3, 4}),
        (AuditFilter(event="token"), set()),
        (AuditFilter(event="key."), set()),
        (AuditFilter(client_id="app"), {1, 2, 3, 4}),
        (AuditFilter(client_id="App"), set()),
        (AuditFilter(person="usr_1"), {1, 3}),
        (AuditFilter(request_id="w-2"), {2}),
        (AuditFilter(family="family 0"), {2, 4}),
        (AuditFilter(jti="w.3"), {3}),
        (AuditFilter(ip="192.0.2.4"), {4}),
        (AuditFilter(since="2030-01-01T00:00:02.000000+00:00"), {2, 3, 4}),
        (AuditFilter(until="2030-01-01T00:00:02.000000+00:00"), {1}),
        (AuditFilter(family="family 0", person="usr_1"), set()),
        (AuditFilter(event="%"), set()),
        (AuditFilter(event="token_issued"), set()),
    ],
    ids=str,
)
async def test_rows_are_found_by_what_they_say(stores: Stores, wanted: AuditFilter, found: set[int]) -> None:
    await stores.trail.append(chain("w", 4))
    assert {row.sequence for row in (await stores.trail.find(wanted, 10)).rows} == found


async def test_a_token_among_others_is_found_by_its_names(stores: Stores) -> None:
    shared = Shared("app", "192.0.2.1", "tests", "key", "api", "read", "")
    made = milliseconds_of_uuid7(uuid7()) or 0
    requests = [uuid7_at(made + late) for late in (0, 5, 400, 30_000, 30_001)]
    tokens = [OwnToken("ab", 2, "f", 1, new_jti(), request) for request in requests]
    events = together([(AT, (shared, token)) for token in tokens])
    assert [one.times for one in events] == [3, 2]
    rows, before = list[AuditRow](), GENESIS
    for sequence, one in enumerate(events, 1):
        rows.append(link(one.event, one.at, "w", sequence, before))
        before = rows[-1].row_hash
    await stores.trail.append(rows)
    await stores.trail.append(chain("v", 3))

    for token, row in zip(tokens, [*rows[:1] * 3, *rows[1:] * 2], strict=True):
        for wanted in (
            AuditFilter(request_id=token.request),
            AuditFilter(request_id=token.request, event="token.issued", client_id="app"),
        ):
            found = (await stores.trail.find(wanted, 9)).rows
            assert list(found) == [row]
            assert [one.jti for one in as_wanted(found, wanted)] == [token.jti]
    nobodys = (new_jti(), uuid7(), "%", "_" * 22, requests[0][:-1] + "1")
    for name in nobodys:
        for wanted in (AuditFilter(jti=name), AuditFilter(request_id=name)):
            assert not as_wanted((await stores.trail.find(wanted, 9)).rows, wanted)


async def test_a_token_among_others_is_found_by_a_name_that_is_younger_than_its_request(stores: Stores) -> None:
    shared = Shared("app", "192.0.2.1", "tests", "key", "api", "read", "")
    request, slow = uuid7(), uuid7_at((milliseconds_of_uuid7(uuid7()) or 0) - 59_000)
    for number, asked in enumerate((request, slow)):
        tokens = [OwnToken("ab", 2, "f", 1, new_jti(), asked) for _ in range(2)]
        ((at, event, _),) = together([(AT, (shared, token)) for token in tokens])
        row = link(event, at, f"w{number}", 1, GENESIS)
        await stores.trail.append([row])
        for token in tokens:
            wanted = AuditFilter(jti=token.jti)
            assert list((await stores.trail.find(wanted, 9)).rows) == [row]
            assert not (await stores.trail.find(AuditFilter(jti=token.jti, client_id="other"), 9)).rows


async def test_pages_lead_from_the_newest_to_the_oldest(stores: Stores) -> None:
    await stores.trail.append(chain("w", 4))
    await stores.trail.append(chain("v", 3))
    found = list[str]()
    page = await stores.trail.find(EVERYTHING, 2)
    while True:
        found += [row.jti for row in page.rows]
        if page.older is None:
            break
        page = await stores.trail.find(EVERYTHING, 2, page.older)
    assert found == ["w.4", "w.3", "v.3", "w.2", "v.2", "w.1", "v.1"]


async def test_checkpoints_say_what_moved_since_the_one_before(stores: Stores) -> None:
    assert await stores.trail.last_checkpoint() is None
    rows = chain("w", 3)
    await stores.trail.append(rows[:2])
    first = await sign(stores)
    assert await stores.trail.moved_heads() == {}
    await stores.trail.append([*rows[2:]])
    await stores.trail.append(chain("v", 1))
    second = await sign(stores)
    assert first.heads == {"w": head(rows[1])}
    assert set(second.heads) == {"v", "w"}
    assert await stores.trail.last_checkpoint() == second
    assert list(await stores.trail.checkpoints(0, 10)) == [first, second]
    assert list(await stores.trail.checkpoints(1, 10)) == [second]
    assert not (await verify([Table(stores.trail)], KEYS)).findings


@pytest.mark.parametrize(
    "heads",
    ["x", "[]", "1", '{"w":1}', '{"w":["1","x"]}', '{"w":[1,2]}', '{"w":[9223372036854775808,"x"]}', "[" * 50_000],
    ids=lambda text: text[:32],
)
async def test_a_checkpoint_of_any_shape_is_named_and_ends_nothing(sql_url: str, heads: str) -> None:
    database = Database(sql_url, statement_seconds=PATIENT_SECONDS)
    try:
        stores = sql_stores(database)
        await stores.trail.append(chain("w", 2))
        await sign(stores)
        async with database.writing() as connection:
            await connection.execute(update(audit_checkpoints).values(heads=heads, archived=heads))
        # What it said is lost: the rows that only count as being under it are named, too.
        named = {one.where for one in (await verify([Table(stores.trail)], KEYS)).findings}
        assert named == {"checkpoint 1", "row w:2"}
        assert "checkpoint 1" in {one.where for one in await YoungRows(stores.trail, KEYS).look()}
        await stores.trail.append(chain("v", 2))
        await sign(stores)
        assert "checkpoint 1" in {one.where for one in (await verify([Table(stores.trail)], KEYS)).findings}
    finally:
        await database.close()


async def test_a_chain_that_is_said_to_be_checkpointed_is_checkpointed_all_the_same_and_named(sql_url: str) -> None:
    database = Database(sql_url, statement_seconds=PATIENT_SECONDS)
    try:
        trail = (stores := sql_stores(database)).trail
        rows = chain("w", 4)
        await trail.append(rows[:2])
        await trail.append(chain("v", 2))
        await sign(stores)
        async with database.writing() as connection:
            mine = update(audit_heads).where(audit_heads.c.writer == "w")
            await connection.execute(mine.values(checkpointed=9 * 10**18))
        (found,) = (await verify([Table(trail)], KEYS)).findings
        assert (found.where, "no checkpoint has it" in found.what) == (f"row w:{9 * 10**18}", True)
        await trail.append(rows[2:])
        assert (await sign(stores)).heads == {"w": head(rows[3])}
        # As it should be again, and nothing has moved since.
        assert not (await verify([Table(trail)], KEYS)).findings
        assert await trail.moved_heads() == {}
    finally:
        await database.close()


async def test_how_far_chains_are_under_checkpoints(stores: Stores) -> None:
    rows = chain("w", 3)
    await stores.trail.append(rows[:2])
    await sign(stores)
    await stores.trail.append(rows[2:])
    await stores.trail.append(chain("v", 1))
    claimed = await stores.trail.checkpointed()
    assert (claimed["w"], claimed.get("v", 0)) == (2, 0)
    await sign(stores)
    assert await stores.trail.checkpointed() == {"w": 3, "v": 1}


async def test_of_two_checkpoints_of_one_number_the_first_counts(stores: Stores) -> None:
    await stores.trail.append(chain("w", 1))
    first = await sign(stores)
    assert not await stores.trail.add_checkpoint(replace(first, at="later"))
    assert await stores.trail.last_checkpoint() == first


async def test_what_ended_before_an_instant_is_the_unbroken_beginning(stores: Stores) -> None:
    rows = chain("w", 4)
    # Its clock went back: what lies behind the third row stays with it.
    went_back = link(an_event(), AT, "w", 5, rows[-1].row_hash)
    await stores.trail.append([*rows, went_back])
    await stores.trail.append(chain("v", 2))
    await stores.trail.append([link(an_event(), AT + timedelta(days=1), "late", 1, GENESIS)])
    ended = await stores.trail.ended_before((AT + timedelta(seconds=3)).isoformat(timespec="microseconds"))
    assert {writer: one.sequence for writer, one in ended.items()} == {"w": 2, "v": 2}
    assert ended["w"] == head(rows[1])


async def test_an_archive_takes_rows_out_of_the_table_and_closes_the_checkpoints(
    stores: Stores, tmp_path: Path
) -> None:
    await stores.trail.append(chain("w", 700))
    await sign(stores)
    await stores.trail.append(chain("v", 2))
    before = (AT + timedelta(seconds=650)).isoformat(timespec="microseconds")
    done = await archive(stores.trail, KEYS, SystemClock(), before, tmp_path / "old.jsonl")
    assert done is not None
    assert done.rows == 649 + 2
    assert [row.sequence for row in await stores.trail.chain("w", 0, 1_000)] == list(range(650, 701))
    assert [one.number for one in await stores.trail.checkpoints(0, 10)] == [2]
    assert not (await verify([Table(stores.trail)], KEYS)).findings
    verdict = await verify([ArchiveFile.read(done.file), Table(stores.trail)], KEYS)
    assert (list(verdict.findings), verdict.rows) == ([], 702)


async def test_an_archive_that_was_broken_off_goes_on_and_loses_nothing(sql_url: str, tmp_path: Path) -> None:
    database = BreaksOff(sql_url, statement_seconds=PATIENT_SECONDS)
    trail = SqlAuditTrail(database)
    try:
        await trail.append(rows := chain("w", 2_500))
        await sign(sql_stores(database))
        before = (AT + timedelta(seconds=2_400)).isoformat(timespec="microseconds")
        file, other = tmp_path / "old.jsonl", tmp_path / "other.jsonl"
        # The closing checkpoint, and the first thousand rows.
        database.writes_left = 2
        with pytest.raises(StoreUnavailable, match=r"old\.jsonl again"):
            await archive(trail, KEYS, SystemClock(), before, file)
        database.writes_left = 1_000
        left = len(await trail.chain("w", 0, 5_000))
        assert left == 1_500
        with pytest.raises(InvalidInput, match="broken off"):
            await archive(trail, KEYS, SystemClock(), before, other)
        assert len(await trail.chain("w", 0, 5_000)) == left
        done = await archive(trail, KEYS, SystemClock(), before, file)
        assert done is not None
        assert (done.file, done.rows, list(tmp_path.glob("o*"))) == (file, 2_399, [file])
        verdict = await verify([ArchiveFile.read(file), Table(trail)], KEYS)
        assert (list(verdict.findings), verdict.rows) == ([], len(rows))
        assert await archive(trail, KEYS, SystemClock(), before, other) is None
    finally:
        await database.close()


class BreaksOff(Database):
    """Is gone after some transactions."""

    writes_left = 1_000

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        if not self.writes_left:
            raise StoreUnavailable("gone")
        self.writes_left -= 1
        async with super().writing() as connection:
            yield connection
