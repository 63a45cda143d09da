"""Rows that no answer waits for: in the database, or in the spool, but never lost in silence and never twice."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import CapturingLogger

from authcenter.audit import grouped
from authcenter.audit.chain import GENESIS, first_break, link
from authcenter.audit.grouped import GroupedAudit
from authcenter.core.errors import AuditFull, StoreUnavailable
from authcenter.core.event import Event, EventKind
from authcenter.stores.memory.audit_trail import MemoryAuditTrail
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.spool import Spool, SpoolFull, left_behind
from tests.workbench import SetClock


class Database(MemoryAuditTrail):
    """Answers, refuses, or says nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__(MemoryRecord(SetClock(), link, GENESIS, lambda _: None))
        self.gone = self.broken = False
        self.refuses = ""
        self.answering = asyncio.Event()
        self.answering.set()

    async def append(self, rows: Sequence[AuditRow]) -> None:
        await self.answering.wait()
        if self.gone or self.refuses in [row.jti for row in rows]:
            raise StoreUnavailable("gone")
        if self.broken:
            raise RuntimeError("a defect")
        await super().append(rows)

    @property
    def rows(self) -> list[AuditRow]:
        return sorted(self._record.tables.audit, key=lambda row: (row.writer, row.sequence))


class Bench:
    def __init__(self, directory: Path) -> None:
        self.database, self.directory = Database(), directory
        self.depth = 0.0
        self.log: Any = CapturingLogger()
        self.audit = self.another()

    def another(self) -> GroupedAudit:
        def deep(rows: float) -> None:
            self.depth = rows

        return GroupedAudit(self.database, self.directory, SetClock(), lambda *_: None, deep, self.log)

    def record(self, *numbers: int, audit: GroupedAudit | None = None) -> None:
        for number in numbers:
            event = Event(EventKind.TOKEN_ISSUED, "app", context={"jti": f"t{number}"})
            (audit or self.audit).record(lambda event=event: event, SetClock().now())  # type: ignore[misc]

    @property
    def kept(self) -> list[str]:
        assert first_break(self.database.rows) is None
        return [row.jti for row in self.database.rows]

    @property
    def said(self) -> list[str]:
        return [call.args[0] if call.args else call.kwargs["event"] for call in self.log.calls]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path / "spool")
    yield made
    made.database.answering.set()
    await made.audit.close()


async def test_an_event_that_cannot_be_told_takes_no_other_row_with_it(bench: Bench) -> None:
    def defect() -> Event:
        raise KeyError("jti")

    bench.record(1)
    bench.audit.record(defect, SetClock().now())
    bench.record(2)
    await bench.audit.flush()
    assert bench.kept == ["t1", "t2"]
    assert "defect" in bench.said
    assert "audit_rows_dropped" in bench.said


async def test_what_is_recorded_together_is_written_together(bench: Bench) -> None:
    bench.record(1, 2)
    assert bench.kept == []
    await bench.audit.flush()
    bench.record(3)
    await bench.audit.flush()
    assert bench.kept == ["t1", "t2", "t3"]
    assert not bench.directory.exists()


async def test_it_runs_by_itself_and_what_is_left_is_written_at_the_end(bench: Bench) -> None:
    running = asyncio.create_task(bench.audit.run())
    bench.record(1)
    async with asyncio.timeout(10):
        while not bench.kept:
            await asyncio.sleep(0.01)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    bench.record(2)
    await bench.audit.close()
    assert bench.kept == ["t1", "t2"]


async def test_without_the_database_rows_are_spooled_and_drained_in_order(bench: Bench) -> None:
    bench.record(1)
    await bench.audit.flush()
    bench.database.gone = True
    for number in (2, 3):
        bench.record(number)
        await bench.audit.flush()
    assert (bench.kept, bench.depth) == (["t1"], 2)
    with pytest.raises(StoreUnavailable):
        await bench.audit.drain()
    bench.database.gone = False
    bench.record(4)
    await bench.audit.flush()
    # Not past those that wait.
    assert bench.kept == ["t1"]
    await bench.audit.drain()
    bench.record(5)
    await bench.audit.flush()
    assert (bench.kept, bench.depth) == (["t1", "t2", "t3", "t4", "t5"], 0)
    assert bench.audit.spool.empty
    bench.audit.require_room()


async def test_a_database_that_answers_late_is_not_waited_for_and_keeps_nothing_twice(bench: Bench) -> None:
    bench.database.answering.clear()
    bench.record(1, 2)
    await bench.audit.flush()
    assert not bench.audit.spool.empty
    bench.database.answering.set()
    await bench.audit.drain()
    assert bench.kept == ["t1", "t2"]


async def test_a_process_that_died_leaves_its_rows_to_the_next(bench: Bench) -> None:
    dead = bench.another()
    bench.database.gone = True
    bench.record(1, 2, audit=dead)
    await dead.flush()
    # As the kernel closes files of a process: the lock goes, the rows stay.
    assert dead.spool._file is not None
    dead.spool._file.close()
    bench.database.gone = False
    await bench.audit.drain_left_behind()
    assert bench.kept == ["t1", "t2"]
    assert left_behind(bench.directory) == []


async def test_the_spool_of_a_living_process_is_left_alone(bench: Bench) -> None:
    alive = bench.another()
    bench.database.gone = True
    bench.record(1, audit=alive)
    await alive.flush()
    bench.database.gone = False
    await bench.audit.drain_left_behind()
    assert bench.kept == []
    await alive.close()
    assert bench.kept == ["t1"]


async def left_by_the_dead(bench: Bench, *numbers: int) -> Path:
    dead = bench.another()
    bench.database.gone = True
    bench.record(*numbers, audit=dead)
    await dead.flush()
    assert dead.spool._file is not None
    dead.spool._file.close()
    bench.database.gone = False
    return bench.directory / f"{dead.writer}.jsonl"


def _garbage(path: Path) -> None:
    path.write_bytes(b"not JSON\n")


def _nulls(path: Path) -> None:
    path.write_bytes(b"\0" * 100 + b"\n")


def _of_a_newer_version(path: Path) -> None:
    path.write_text('{"a_column_of_tomorrow":1}\n')


def _of_other_types(path: Path) -> None:
    row = link(Event(EventKind.TOKEN_ISSUED, "app"), SetClock().now(), "w", 1, GENESIS)
    path.write_text(json.dumps(asdict(row) | {"sequence": "1"}) + "\n")


def _no_object(path: Path) -> None:
    path.write_text("7\n")


def _cannot_be_opened(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    "spoil", [_garbage, _nulls, _of_a_newer_version, _of_other_types, _no_object, _cannot_be_opened]
)
async def test_a_file_that_cannot_be_read_keeps_no_other_from_being_drained(
    bench: Bench, spoil: Callable[[Path], None]
) -> None:
    good = await left_by_the_dead(bench, 1)
    spoil(good.with_name("0.jsonl"))
    await bench.audit.drain_left_behind()
    await bench.audit.drain_left_behind()
    assert bench.kept == ["t1"]
    assert left_behind(bench.directory) == [good.with_name("0.jsonl")]
    assert bench.said.count("audit_spool_unreadable") == 1


async def test_a_file_that_was_mended_is_drained(bench: Bench) -> None:
    path = await left_by_the_dead(bench, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[1:])
    await bench.audit.drain_left_behind()
    assert bench.kept == []
    path.write_bytes(whole)
    await bench.audit.drain_left_behind()
    assert bench.kept == ["t1"]


async def test_rows_that_the_database_refuses_keep_no_other_file_from_being_drained(bench: Bench) -> None:
    bench.database.refuses = "t1"
    # Looked at first.
    first = (await left_by_the_dead(bench, 1)).rename(bench.directory / "0.jsonl")
    await left_by_the_dead(bench, 2)
    with pytest.raises(StoreUnavailable):
        await bench.audit.drain_left_behind()
    assert bench.kept == ["t2"]
    assert left_behind(bench.directory) == [first]


async def test_what_lies_before_a_line_that_cannot_be_read_is_drained(bench: Bench) -> None:
    path = await left_by_the_dead(bench, 1, 2)
    path.write_bytes(path.read_bytes() + b"\0\0\n")
    await bench.audit.drain_left_behind()
    assert bench.kept == ["t1", "t2"]
    assert path.exists()


async def test_draining_does_not_end_in_silence(bench: Bench) -> None:
    bench.database.gone = True
    bench.record(1)
    await bench.audit.flush()
    bench.database.gone, bench.database.broken = False, True
    with pytest.raises(ExceptionGroup):
        async with asyncio.timeout(30):
            await bench.audit.run()
    bench.database.broken = False


@pytest.mark.parametrize("torn", [b"{", b'{"x":"' + b"x" * 200_000], ids=["short", "longer than a step"])
async def test_what_was_half_written_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    for whole in (b"", b'{"a":1}\n{"b":2}\n'):
        path = tmp_path / "left.jsonl"
        path.write_bytes(whole + torn)
        left = Spool.adopt(path)
        assert left is not None
        assert path.read_bytes() == whole
        left.close()


async def test_a_line_that_death_cut_short_was_never_kept(bench: Bench) -> None:
    dead = bench.another()
    bench.database.gone = True
    bench.record(1, 2, audit=dead)
    await dead.flush()
    path = left_behind(bench.directory)[0]
    assert dead.spool._file is not None
    dead.spool._file.close()
    path.write_bytes(path.read_bytes()[:-20])
    bench.database.gone = False
    await bench.audit.drain_left_behind()
    assert bench.kept == ["t1"]
    # Nor does it keep the file, which would be brought again each minute.
    assert left_behind(bench.directory) == []


async def test_where_nothing_takes_rows_nothing_is_issued_any_more_and_nothing_is_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.database.gone = True
    with monkeypatch.context() as patched:
        patched.setattr(Spool, "append", no_room)
        bench.record(1)
        await bench.audit.flush()
        with pytest.raises(AuditFull):
            bench.audit.require_room()
        assert bench.said.count("audit_spool_full") == 1
    bench.record(2)
    await bench.audit.flush()
    bench.audit.require_room()
    bench.database.gone = False
    await bench.audit.drain()
    assert bench.kept == ["t1", "t2"]


def no_room(self: Spool, rows: Sequence[AuditRow]) -> None:
    raise SpoolFull("no room")


async def test_room_that_is_made_while_the_database_is_gone_is_noticed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.database.gone = True
    bench.record(1)
    await bench.audit.flush()
    with monkeypatch.context() as patched:
        patched.setattr(Spool, "append", no_room)
        bench.record(2)
        await bench.audit.flush()
        with pytest.raises(AuditFull):
            bench.audit.require_room()
    # Nothing is issued meanwhile, so nothing is recorded either.
    with pytest.raises(StoreUnavailable):
        await bench.audit.drain()
    bench.audit.require_room()
    bench.database.gone = False
    await bench.audit.drain()
    assert bench.kept == ["t1", "t2"]


async def test_a_thread_that_outlives_its_task_has_the_file_to_itself(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.database.gone = True
    bench.record(1, 2, 3)
    await bench.audit.flush()
    bench.database.gone = False
    begun, may_go_on, inside, most = threading.Event(), threading.Event(), list[int](), list[int]()
    read = Spool.next_rows

    def slowly(self: Spool, count: int) -> list[AuditRow]:
        inside.append(1)
        most.append(len(inside))
        begun.set()
        may_go_on.wait(60)
        try:
            return read(self, count)
        finally:
            inside.pop()

    monkeypatch.setattr(Spool, "next_rows", slowly)
    first = asyncio.create_task(bench.audit.drain())
    assert await asyncio.to_thread(begun.wait, 60)
    for _ in range(2):
        first.cancel()
        await asyncio.sleep(0)
    second = asyncio.create_task(bench.audit.drain())
    # Long enough for a second thread to begin, if it were to.
    await asyncio.sleep(0.1)
    may_go_on.set()
    with suppress(asyncio.CancelledError):
        await first
    await second
    assert max(most) == 1
    assert bench.kept == ["t1", "t2", "t3"]
    assert bench.audit.spool.empty


async def test_rows_that_nothing_takes_at_the_end_are_lost_aloud(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spool, "append", no_room)
    bench.database.gone = True
    bench.record(1)
    await bench.audit.close()
    assert "audit_rows_lost" in bench.said


async def test_rows_beyond_all_room_are_dropped_aloud(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouped, "_MOST_WAITING", 2)
    bench.record(1, 2)
    with pytest.raises(AuditFull):
        bench.audit.require_room()
    bench.record(3, 4, 5)
    await bench.audit.flush()
    assert bench.kept == ["t1", "t2", "t3", "t4"]
    assert "audit_rows_dropped" in bench.said


def test_a_spool_takes_no_more_than_its_bytes(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "w", most_bytes=2_000)
    row = link(Event(EventKind.TOKEN_ISSUED, "app"), SetClock().now(), "w", 1, GENESIS)
    spool.append([row])
    with pytest.raises(SpoolFull):
        spool.append([row] * 10)
    assert spool.next_rows(10) == [row]
    spool.drained()
    assert spool.next_rows(10) == []
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written_is_a_full_spool(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolFull):
        Spool(tmp_path / "file" / "spool", "w").append(
            [link(Event(EventKind.TOKEN_ISSUED, "app"), SetClock().now(), "w", 1, GENESIS)]
        )
