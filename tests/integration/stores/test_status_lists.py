"""Conformance of ``StatusListStore``."""

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from authcenter.core.cut import CutKind
from authcenter.core.errors import Conflict
from authcenter.core.status import StatusEntry, StatusList
from authcenter.stores.ports.eviction import KEPT_AFTER_END, Evictable
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import SOME_TIME, a_revoked_token, cutting
from tests.servers.postgres import PostgresServer

BEGINS, LAPSES = SOME_TIME.replace(minute=0, second=0, microsecond=0), SOME_TIME + timedelta(hours=1)
ISSUED = SOME_TIME.replace(microsecond=0)
SLACK = timedelta(minutes=1)

TAKE = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.status_lists import SqlStatusListStore

async def main():
    database = Database(sys.argv[1], statement_seconds=30)
    store, begins = SqlStatusListStore(database), datetime(2030, 1, 1, tzinfo=UTC)
    print("ready", flush=True)
    sys.stdin.readline()
    blocks = await asyncio.gather(*(store.take(begins, begins + timedelta(hours=1), 4, 16) for _ in range(10)))
    await database.close()
    print(*(f"{block.list_id}:{block.first + n}" for block in blocks for n in range(block.count)))

asyncio.run(main())
"""


def an_entry(list_id: str, index: int, **changes: object) -> StatusEntry:
    entry = StatusEntry(list_id, index, f"jti-{index}", "fam", "sub", "client", "sid", "kid", ISSUED)
    return replace(entry, **changes)  # type: ignore[arg-type]


async def a_list(stores: Stores) -> StatusList:
    block = await stores.status_lists.take(BEGINS, LAPSES, 4, 16)
    return StatusList(block.list_id, BEGINS, LAPSES)


async def test_blocks_never_overlap_and_fill_one_list_after_the_other(processes: tuple[Stores, Stores]) -> None:
    blocks = [await processes[n % 2].status_lists.take(BEGINS, LAPSES, 4, 16) for n in range(9)]
    numbers = [(block.list_id, block.first + n) for block in blocks for n in range(block.count)]
    assert len(set(numbers)) == 36
    by_list = {list_id: {number for one, number in numbers if one == list_id} for list_id, _ in numbers}
    assert [len(taken) for taken in by_list.values()] == [16, 16, 4]
    assert all(taken == set(range(len(taken))) for taken in by_list.values())
    assert len({(block.list_id, block.key) for block in blocks}) == 3
    assert len({block.key for block in blocks}) == 3


async def test_blocks_taken_at_the_same_time_do_not_overlap(processes: tuple[Stores, Stores]) -> None:
    blocks = await asyncio.gather(*(processes[n % 2].status_lists.take(BEGINS, LAPSES, 4, 16) for n in range(12)))
    assert len({(block.list_id, block.first) for block in blocks}) == 12
    assert all(block.first + block.count <= 16 for block in blocks)


async def test_processes_of_their_own_share_the_lists_without_sharing_a_place(
    postgres_server: PostgresServer, migrated_postgres: str
) -> None:
    url, pipe = postgres_server.create_database(template=migrated_postgres), asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", TAKE, url, stdin=pipe, stdout=pipe, stderr=pipe)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    outcomes = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert [said for _, said in outcomes] == [b"", b""]
    places = [place for told, _ in outcomes for place in told.decode().split()]
    assert len(places) == 80
    assert len(set(places)) == 80


async def test_another_window_has_other_lists(stores: Stores) -> None:
    one = await stores.status_lists.take(BEGINS, LAPSES, 4, 16)
    other = await stores.status_lists.take(LAPSES, LAPSES + timedelta(hours=1), 4, 16)
    assert one.list_id != other.list_id
    held = {listed.list_id: listed for listed in await stores.status_lists.lists()}
    assert held[one.list_id] == StatusList(one.list_id, BEGINS, LAPSES)
    assert held.keys() == {one.list_id, other.list_id}


async def test_a_place_is_recorded_once(processes: tuple[Stores, Stores]) -> None:
    listed = await a_list(processes[0])
    await processes[0].status_lists.record([an_entry(listed.list_id, 1)])
    with pytest.raises(Conflict):
        await processes[1].status_lists.record([an_entry(listed.list_id, 0), an_entry(listed.list_id, 1)])
    await processes[1].status_lists.record([an_entry(listed.list_id, 0)])


async def test_a_revoked_token_is_refused_and_no_other(stores: Stores) -> None:
    listed = await a_list(stores)
    await stores.status_lists.record([an_entry(listed.list_id, index) for index in range(3)])
    assert list(await stores.status_lists.refused(listed)) == []
    await stores.revocations.revoke(a_revoked_token(1, jti="jti-1", expires_at=BEGINS))
    await stores.revocations.revoke(a_revoked_token(2, jti="jti-77", expires_at=BEGINS))
    assert list(await stores.status_lists.refused(listed)) == [1]


CUTS = [
    pytest.param(CutKind.FAMILY, {"family": "x"}, "x", id="family"),
    pytest.param(CutKind.JTI, {"jti": "x"}, "x", id="jti"),
    pytest.param(CutKind.SUBJECT, {"subject": "x"}, "x", id="subject"),
    pytest.param(CutKind.CLIENT, {"client_id": "x"}, "x", id="client"),
    pytest.param(CutKind.SESSION, {"session": "x"}, "x", id="session"),
    pytest.param(CutKind.KEY, {"kid": "x"}, "x", id="key"),
]


@pytest.mark.parametrize(("kind", "carries", "value"), CUTS)
@pytest.mark.parametrize(
    ("up_to", "refused"),
    [(None, [1]), (ISSUED, [1]), (ISSUED - timedelta(seconds=1), [])],
    ids=["whenever issued", "issued until then", "issued later"],
)
async def test_a_cut_refuses_what_carries_its_value(
    stores: Stores, kind: CutKind, carries: dict[str, str], value: str, up_to: datetime | None, refused: list[int]
) -> None:
    listed = await a_list(stores)
    await stores.status_lists.record([an_entry(listed.list_id, 0), an_entry(listed.list_id, 1, **carries)])
    await stores.revocations.cut(cutting(kind, value, up_to=up_to, expires_at=LAPSES))
    assert list(await stores.status_lists.refused(listed)) == refused


async def test_a_cut_of_everything_refuses_what_was_issued_by_then(stores: Stores) -> None:
    listed = await a_list(stores)
    later = an_entry(listed.list_id, 1, issued_at=ISSUED + timedelta(seconds=1))
    await stores.status_lists.record([an_entry(listed.list_id, 0), later])
    await stores.revocations.cut(cutting(CutKind.EVERYTHING, "", up_to=ISSUED))
    assert list(await stores.status_lists.refused(listed)) == [0]


async def test_a_list_goes_with_its_entries_once_all_of_it_has_lapsed(stores: Stores) -> None:
    now = datetime.now(UTC)
    kept: set[str] = set()
    for ago in (KEPT_AFTER_END + SLACK, KEPT_AFTER_END - SLACK):
        block = await stores.status_lists.take(now - ago - timedelta(hours=1), now - ago, 4, 16)
        await stores.status_lists.record([an_entry(block.list_id, index) for index in range(4)])
        kept = {block.list_id}
    backlog = stores.eviction.backlog
    assert [await backlog(table, 100) for table in (Evictable.STATUS_ENTRIES, Evictable.STATUS_LISTS)] == [4, 1]
    evicted = 0
    while batch := await stores.eviction.evict(Evictable.STATUS_ENTRIES, 3):
        assert batch <= 4
        evicted += batch
    assert evicted == 5
    assert [await backlog(table, 100) for table in (Evictable.STATUS_ENTRIES, Evictable.STATUS_LISTS)] == [0, 0]
    assert {listed.list_id for listed in await stores.status_lists.lists()} == kept
    with pytest.raises(Conflict):
        await stores.status_lists.record([an_entry(kept.pop(), 0)])
