"""The runner of the outbox: what it does with success, failure, defects, outages, and with what takes its time."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import structlog
from structlog.testing import CapturingLogger

from authcenter.core.errors import StoreUnavailable
from authcenter.core.job import Job
from authcenter.stores.memory.job_queue import MemoryJobQueue
from authcenter.stores.ports.eviction import DEAD_JOBS_KEPT, KEPT_AFTER_END, Evictable
from authcenter.wiring.jobs import finish_jobs
from authcenter.workers import outbox
from authcenter.workers.errands import Assignment, ErrandFailed, Hopeless, Persistence, Pointless
from authcenter.workers.lanes import MOST_AT_ONCE, SHARE
from authcenter.workers.outbox import LEASE, OutboxWorker
from tests.workbench import Workbench

PERSISTENCE = Persistence(attempts=4, first_delay=timedelta(seconds=8), longest_delay=timedelta(seconds=20))


class Errands:
    """Does what the payload says."""

    def __init__(self) -> None:
        self.done: list[Mapping[str, Any]] = []
        self.held, self.release = 0, asyncio.Event()

    async def act(self, payload: Mapping[str, Any]) -> None:
        match payload.get("how"):
            case "fail":
                raise ErrandFailed("status 500")
            case "pointless":
                raise Pointless("nobody there")
            case "hopeless":
                raise Hopeless("no such mailbox")
            case "defect":
                raise KeyError("x")
            case "outage":
                raise StoreUnavailable("gone")
            case "stall":
                self.held += 1
                await self.release.wait()
        self.done.append(payload)


class Process:
    """One process that does jobs."""

    def __init__(
        self, bench: Workbench, persistence: Persistence = PERSISTENCE, names: tuple[str, ...] = ("mail",)
    ) -> None:
        self.errands, self.log, self.ready, self.queue = Errands(), CapturingLogger(), True, MemoryJobQueue()
        self.worker = OutboxWorker(
            outbox=bench.stores.outbox,
            queue=self.queue,
            assignments={name: Assignment(self.errands, persistence) for name in names},
            metrics=bench.metrics,
            log=structlog.wrap_logger(self.log, processors=[]),
            holder="one",
            ready=lambda: self.ready,
        )

    async def step(self) -> int:
        begun = await self.worker.step()
        await self.worker.settle()
        return begun


def rows(bench: Workbench) -> list[Any]:
    return list(bench.record.tables.outbox.values())


async def test_what_is_due_is_done_once(bench: Workbench) -> None:
    process = Process(bench)
    await bench.stores.outbox.add([Job("mail", {"n": 1}), Job("other", {})])
    assert await process.step() == 1
    assert await process.step() == 0
    assert process.errands.done == [{"n": 1}]
    assert bench.counted("job_total", job="mail", outcome="done") == 1
    assert bench.counted("job_queue_depth") == 1
    assert process.log.calls == []


@pytest.mark.parametrize("how", ["fail", "defect", "outage"])
async def test_what_fails_is_tried_later_and_later_and_then_given_up(bench: Workbench, how: str) -> None:
    process = Process(bench)
    await bench.stores.outbox.add([Job("mail", {"how": how})])
    for longest in (8, 16, 20):
        assert await process.step() == 1
        (row,) = rows(bench)
        delay = (row.due_at - bench.clock.now()).total_seconds()
        assert longest / 2 <= delay <= longest
        assert row.last_error
        assert await process.step() == 0
        bench.clock.advance(delay)
    assert await process.step() == 1
    (row,) = rows(bench)
    assert row.dead_at == bench.clock.now()
    bench.clock.advance(1_000)
    assert await process.step() == 0
    assert bench.counted("job_total", job="mail", outcome="retried") == 3
    assert bench.counted("job_total", job="mail", outcome="dead") == 1
    assert bench.counted("job_queue_depth") == 0
    assert process.log.calls[-1].kwargs["outcome"] == "dead"


async def test_what_has_become_pointless_is_dropped(bench: Workbench) -> None:
    process = Process(bench)
    await bench.stores.outbox.add([Job("mail", {"how": "pointless"})])
    await process.step()
    assert rows(bench)[0].done_at is not None
    assert bench.counted("job_total", job="mail", outcome="dropped") == 1


async def test_what_is_hopeless_is_given_up_at_once_and_kept_to_be_looked_at(bench: Workbench) -> None:
    process = Process(bench)
    await bench.stores.outbox.add([Job("mail", {"how": "hopeless"})])
    await process.step()
    assert (rows(bench)[0].dead_at, rows(bench)[0].last_error) == (bench.clock.now(), "no such mailbox")
    assert bench.counted("job_total", job="mail", outcome="dead") == 1
    assert process.log.calls[-1].kwargs["hint"] == "no such mailbox"


async def test_what_stalls_holds_up_nothing_else(bench: Workbench) -> None:
    process = Process(bench)
    stalled = [Job("mail", {"how": "stall", "client_id": f"{n % 2}"}) for n in range(MOST_AT_ONCE - 1)]
    await bench.stores.outbox.add(stalled)
    assert await process.worker.step() == len(stalled)
    bench.clock.advance(1)
    await bench.stores.outbox.add([Job("mail", {"n": number}) for number in range(3)])
    for number in range(3):
        assert await process.worker.step() == 1
        while len(process.errands.done) <= number:
            await asyncio.sleep(0)
        while len(process.worker._under_way) > len(stalled):
            await asyncio.sleep(0)
    assert process.errands.held == len(stalled)
    process.errands.release.set()
    await process.worker.settle()
    assert await bench.stores.outbox.depth() == 0


async def test_a_try_that_takes_too_long_is_broken_off(bench: Workbench) -> None:
    process = Process(bench, Persistence(time_limit=timedelta(0)))
    await bench.stores.outbox.add([Job("mail", {"how": "stall"})])
    await process.step()
    assert rows(bench)[0].last_error == "it took too long"


async def test_what_a_dead_process_had_is_done_by_another(bench: Workbench) -> None:
    dead, other = Process(bench), Process(bench)
    await bench.stores.outbox.add([Job("mail", {"how": "stall"})])
    await dead.worker.step()
    while not dead.errands.held:
        await asyncio.sleep(0)
    assert await other.worker.step() == 0
    bench.clock.advance(60)
    other.errands.release.set()
    assert await other.step() == 1
    dead.errands.release.set()
    await dead.worker.settle()
    assert bench.counted("job_total", job="mail", outcome="done") == 1
    assert bench.counted("job_total", job="mail", outcome="lapsed") == 1


async def test_while_the_record_is_gone_it_is_said_once_and_nothing_is_lost(bench: Workbench) -> None:
    process = Process(bench)
    await bench.stores.outbox.add([Job("mail", {})])
    bench.board.down = True
    for _ in range(3):
        assert await process.step() == 0
    assert [call.args for call in process.log.calls] == [("jobs_postponed",)] or len(process.log.calls) == 1
    bench.board.down = False
    assert await process.step() == 1


async def test_who_is_not_ready_does_nothing(bench: Workbench) -> None:
    process = Process(bench)
    process.ready = False
    await bench.stores.outbox.add([Job("mail", {})])
    assert await process.step() == 0


async def test_it_works_until_it_is_ended(bench: Workbench) -> None:
    process = Process(bench)
    await bench.stores.outbox.add([Job("mail", {}), Job("mail", {"how": "stall"})])
    running = asyncio.create_task(process.worker.run())
    while not (process.errands.done and process.errands.held):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await process.worker.settle()
    assert await bench.stores.outbox.depth() == 1


@pytest.fixture
def never_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself: only who is told has something to do."""
    monkeypatch.setattr(outbox, "_SECONDS_BETWEEN_LOOKS", 3_600.0)


@contextmanager
def working(process: Process) -> Iterator[None]:
    running = asyncio.create_task(process.worker.run())
    yield
    running.cancel()


async def until_done(process: Process, jobs: int) -> None:
    async with asyncio.timeout(60):
        while len(process.errands.done) < jobs:
            await asyncio.sleep(0.001)


@pytest.mark.usefixtures("never_looks")
async def test_who_is_told_of_a_job_does_it_at_once(bench: Workbench) -> None:
    process = Process(bench)
    with working(process):
        await asyncio.sleep(0.05)
        for number in range(3):
            job = Job("mail", {})
            await bench.stores.outbox.add([job])
            await process.queue.push([job])
            await until_done(process, number + 1)


@pytest.mark.usefixtures("never_looks")
async def test_many_jobs_are_done_one_batch_after_the_other(bench: Workbench) -> None:
    process = Process(bench, names=("mail", "logout"))
    jobs = [Job(name, {}) for name in ("mail", "logout") for _ in range(5 * MOST_AT_ONCE)]
    await bench.stores.outbox.add(jobs)
    with working(process):
        await until_done(process, len(jobs))


@pytest.mark.usefixtures("never_looks")
async def test_a_kind_that_stalls_leaves_room_for_the_others(bench: Workbench) -> None:
    process = Process(bench, names=("mail", "logout"))
    await bench.stores.outbox.add([Job("mail", {"how": "stall"}) for _ in range(2 * MOST_AT_ONCE)])
    bench.clock.advance(1)
    await bench.stores.outbox.add([Job("logout", {}) for _ in range(2 * MOST_AT_ONCE)])
    with working(process):
        await until_done(process, 2 * MOST_AT_ONCE)
        assert process.errands.held == SHARE
        process.errands.release.set()
        await until_done(process, 4 * MOST_AT_ONCE)


async def test_who_lives_keeps_what_it_has(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_SECONDS_BETWEEN_RENEWALS", 0.001)
    process, other = Process(bench), Process(bench)
    await bench.stores.outbox.add([Job("mail", {"how": "stall"})])
    with working(process):
        for _ in range(3):
            async with asyncio.timeout(60):
                while not rows(bench)[0].holder or rows(bench)[0].due_at != bench.clock.now() + LEASE:
                    await asyncio.sleep(0.001)
            bench.clock.at += LEASE - timedelta(seconds=1)
            assert await other.worker.step() == 0
        process.errands.release.set()
        await until_done(process, 1)
    assert bench.counted("job_total", job="mail", outcome="done") == 1


async def test_what_was_done_is_written_down_once_the_record_is_back(bench: Workbench) -> None:
    process = Process(bench)
    process.worker.pauses = [0.001] * 10_000
    await bench.stores.outbox.add([Job("mail", {"how": "stall"})])
    await process.worker.step()
    bench.board.down = True
    process.errands.release.set()
    await until_done(process, 1)
    await asyncio.sleep(0.02)
    bench.board.down = False
    await process.worker.settle()
    assert bench.counted("job_total", job="mail", outcome="done") == 1
    assert await bench.stores.outbox.depth() == 0


async def test_what_could_not_be_written_down_is_done_again(bench: Workbench) -> None:
    process = Process(bench)
    process.worker.pauses = []
    await bench.stores.outbox.add([Job("mail", {"how": "stall"})])
    await process.worker.step()
    bench.board.down = True
    process.errands.release.set()
    await process.worker.settle()
    bench.board.down = False
    assert bench.counted("job_total", job="mail", outcome="unrecorded") == 1
    bench.clock.at += LEASE
    assert await process.step() == 1
    assert len(process.errands.done) == 2


async def test_who_leaves_brings_what_is_under_way_to_its_end(bench: Workbench) -> None:
    process = Process(bench)
    await bench.stores.outbox.add([Job("mail", {"how": "stall"})])
    await process.worker.step()
    leaving = asyncio.create_task(finish_jobs([process.worker]))
    while not process.errands.held:
        await asyncio.sleep(0)
    assert not leaving.done()
    process.errands.release.set()
    await leaving
    assert await bench.stores.outbox.depth() == 0


@pytest.mark.parametrize(
    ("how", "table", "kept"),
    [
        pytest.param("", Evictable.OUTBOX, KEPT_AFTER_END, id="done"),
        pytest.param("pointless", Evictable.OUTBOX, KEPT_AFTER_END, id="dropped"),
        pytest.param("fail", Evictable.DEAD_JOBS, DEAD_JOBS_KEPT, id="given up"),
    ],
)
async def test_what_is_over_is_kept_for_a_while(bench: Workbench, how: str, table: Evictable, kept: timedelta) -> None:
    await bench.stores.outbox.add([Job("mail", {"how": how})])
    await Process(bench, Persistence(attempts=1)).step()
    bench.clock.at += kept
    assert await bench.stores.eviction.evict(table, 10) == 0
    bench.clock.advance(1)
    assert await bench.stores.eviction.backlog(table, 10) == 1
    assert await bench.stores.eviction.evict(table, 10) == 1
    assert rows(bench) == []
