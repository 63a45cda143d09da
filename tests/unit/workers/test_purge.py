"""Eviction in the background: batches, pauses, one instance at a time, and what the gauge tells."""

from datetime import timedelta

import structlog
from structlog.testing import CapturingLogger

from authcenter.core.cut import RevokedToken
from authcenter.core.digest import signing_input_digest
from authcenter.core.rules import Rule
from authcenter.stores.ports.eviction import Evictable
from authcenter.workers.purge import BATCH_ROWS, LOCK, PurgeWorker
from tests.workbench import Workbench, refused


class Process:
    """One process that may evict."""

    def __init__(self, bench: Workbench, name: str = "one") -> None:
        self.bench, self.pauses, self.log, self.ready = bench, list[float](), CapturingLogger(), True
        self.worker = PurgeWorker(
            eviction=bench.stores.eviction,
            locks=bench.stores.locks,
            metrics=bench.metrics,
            clock=bench.clock,
            log=structlog.wrap_logger(self.log, processors=[]),
            holder=name,
            ready=lambda: self.ready,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.bench.clock.advance(seconds)


def gauge(bench: Workbench, table: Evictable = Evictable.REVOKED) -> float | None:
    return bench.metrics.registry.get_sample_value("authcenter_eviction_backlog_rows", {"table": table})


def revoked(bench: Workbench, many: int) -> None:
    for number in range(many):
        digest, now = signing_input_digest(f"a.{number}.b"), bench.clock.now()
        bench.record.tables.revoked[digest] = (RevokedToken(digest, "", "", "", "", "", now), now)


async def test_what_is_dead_goes_in_batches_with_pauses(bench: Workbench) -> None:
    process = Process(bench)
    revoked(bench, 2 * BATCH_ROWS + 1)
    bench.clock.at += timedelta(hours=2)
    await process.worker.step()
    assert bench.record.tables.revoked == {}
    changed = 1  # the batch of rows in the change feed that making clients and users left
    assert len(process.pauses) == 3 + changed
    assert {gauge(bench, table) for table in Evictable} == {0}
    assert {"event": "evicted", "table": Evictable.REVOKED, "rows": 1001} in [c.kwargs for c in process.log.calls]


async def test_what_lives_stays(bench: Workbench) -> None:
    process = Process(bench)
    answer = await bench.issue()
    revoked(bench, 3)
    await process.worker.step()
    assert len(bench.record.tables.revoked) == 3
    bench.clock.at += timedelta(days=29)
    await process.worker.step()
    assert bench.record.tables.revoked == {}
    assert (await bench.refresh(answer.refresh)).access


async def test_a_spent_token_is_known_as_a_replay_as_long_as_its_family_lives(bench: Workbench) -> None:
    process = Process(bench)
    first = await bench.issue()
    last = first
    for _ in range(4):
        last = await bench.refresh(last.refresh, after=timedelta(days=20))
        await process.worker.step()
    # Its own lifetime has been over for seven weeks.
    with refused(Rule.REFRESH_REPLAYED):
        await bench.refresh(first.refresh)
    assert bench.ended(last.refresh)
    assert not await bench.active(last.access)
    bench.clock.at += timedelta(hours=2)
    await process.worker.step()
    assert bench.record.tables.tokens == {}
    assert bench.record.tables.families == {}
    assert not await bench.active(last.refresh)


async def test_another_instance_that_evicts_is_left_alone(bench: Workbench) -> None:
    process = Process(bench)
    revoked(bench, 3)
    bench.clock.at += timedelta(hours=2)
    await bench.stores.locks.acquire(LOCK, "another", timedelta(seconds=90))
    await process.worker.step()
    assert len(bench.record.tables.revoked) == 3
    assert gauge(bench) is None
    bench.clock.advance(90)
    await process.worker.step()
    assert bench.record.tables.revoked == {}


async def test_the_lock_is_renewed_over_a_long_backlog(bench: Workbench) -> None:
    process, slow = Process(bench), 20.0
    real = process._sleep

    async def slowly(_: float) -> None:
        await real(slow)

    process.worker.sleep = slowly
    revoked(bench, 10 * BATCH_ROWS)
    bench.clock.at += timedelta(hours=2)
    await process.worker.step()
    assert bench.record.tables.revoked == {}
    holder, lapses_at = bench.record.tables.leases[LOCK]
    assert holder == "one"
    assert lapses_at > bench.clock.now()


async def test_an_outage_is_told_once_and_waited_out(bench: Workbench) -> None:
    process = Process(bench)
    revoked(bench, 3)
    bench.clock.at += timedelta(hours=2)
    bench.board.down = True
    for _ in range(3):
        await process.worker.step()
    bench.board.down = False
    await process.worker.step()
    assert [call.kwargs["event"] for call in process.log.calls][:1] == ["eviction_postponed"]
    assert [call.kwargs["event"] for call in process.log.calls].count("eviction_postponed") == 1
    assert bench.record.tables.revoked == {}


async def test_a_process_that_is_not_ready_does_nothing(bench: Workbench) -> None:
    process = Process(bench)
    process.ready = False
    revoked(bench, 3)
    bench.clock.at += timedelta(hours=2)
    await process.worker.step()
    assert bench.board.asked == []
