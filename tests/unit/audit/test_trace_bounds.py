"""Traces are bounded in memory and, for strangers, at rest, whoever sends how much; lost rather than waited for."""

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import CapturingLogger

from authcenter.audit import traces as module
from authcenter.audit.chain import GENESIS, link
from authcenter.audit.traces import Traced, TraceLog
from authcenter.core.errors import StoreUnavailable
from authcenter.core.ids import RequestId
from authcenter.core.origin import RequestOrigin
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.request_traces import MemoryRequestTraces
from authcenter.stores.ports.request_traces import RequestTrace, TraceFilter
from tests.workbench import SetClock


class Store(MemoryRequestTraces):
    """Refuses while it is gone."""

    def __init__(self, clock: SetClock) -> None:
        super().__init__(MemoryRecord(clock, link, GENESIS, lambda _: None))
        self.gone = False

    async def keep(self, traces: Sequence[RequestTrace]) -> None:
        if self.gone:
            raise StoreUnavailable("gone")
        await super().keep(traces)

    async def all(self) -> Sequence[RequestTrace]:
        return await self.find(TraceFilter(), 1_000_000)


class Bench:
    def __init__(self, slots: int = 10) -> None:
        self.clock, self.logged = SetClock(), CapturingLogger()
        self.store, log = Store(self.clock), self.logged
        told: Any = log
        self.log = TraceLog(self.store, self.clock, lambda: 3600, told, slots=slots)

    def record(self, *names: object, **changes: Any) -> None:
        for name in names:
            fields = {"client_id": "app", "rule": "", "hint": "", "known": False, **changes}
            origin = RequestOrigin(RequestId(f"request-{name}"), "192.0.2.1", changes.pop("user_agent", "tests"))
            checks: Any = [("pkce", False, {"method": "S256"})]
            self.log.record(
                Traced(origin=origin, method="POST", route="/oauth/token", status=400, checks=checks, **fields)
            )


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_strangers_share_a_ring_and_the_latest_are_kept(bench: Bench) -> None:
    """A hundred thousand slots, scaled down: however much they send, no more rows lie on the disk."""
    for first in range(0, 1_000, 100):
        bench.record(*range(first, first + 100))
        await bench.log.flush()
    kept = await bench.store.all()
    assert {one.request_id for one in kept} == {f"request-{number}" for number in range(990, 1_000)}
    assert {one.slot for one in kept} == set(range(10))


async def test_who_proved_who_they_are_takes_no_slot_and_is_not_overwritten(bench: Bench) -> None:
    bench.record("mine", known=True)
    bench.record(*range(100))
    await bench.log.flush()
    mine = await bench.store.get("request-mine")
    assert mine is not None
    assert mine.slot is None
    assert len(await bench.store.all()) == 11


async def test_processes_share_the_ring(bench: Bench) -> None:
    another = Bench()
    another.log.traces = bench.store
    for one in (bench, another):
        one.record(*(f"{id(one)}-{number}" for number in range(100)))
        await one.log.flush()
    assert len(await bench.store.all()) == 10


async def test_without_the_record_they_wait_and_the_log_says_so_once(bench: Bench) -> None:
    bench.store.gone = True
    bench.record(*range(5))
    for _ in range(3):
        await bench.log.flush()
    assert [call.args for call in bench.logged.calls] == [("traces_postponed",)]
    bench.store.gone = False
    bench.record("one more")
    await bench.log.flush()
    assert len(await bench.store.all()) == 6


async def test_where_they_pile_up_the_oldest_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(slots=100_000)
    bench.store.gone = True
    bench.record(*range(module._MOST_WAITING + 500), known=True)
    await bench.log.flush()
    assert len(bench.log._waiting) <= module._MOST_WAITING
    bench.store.gone = False
    await bench.log.flush()
    kept = {one.request_id for one in await bench.store.all()}
    assert len(kept) == module._MOST_WAITING
    assert f"request-{module._MOST_WAITING + 499}" in kept
    assert "request-0" not in kept


async def test_what_comes_while_it_waits_or_writes_is_written_too(bench: Bench) -> None:
    slept = list[float]()

    class Enough(Exception):
        pass

    async def sleep(seconds: float) -> None:
        if slept:
            raise Enough
        slept.append(seconds)
        bench.record("meanwhile")

    bench.log.sleep = sleep
    bench.record("first")
    running = bench.log.run()
    bench.log.traces = Once(bench.store, lambda: bench.record("after"))
    with pytest.raises(Enough):
        await running
    written = {one.request_id for one in await bench.store.all()}
    assert written == {"request-first", "request-meanwhile", "request-after"}


class Once(MemoryRequestTraces):
    """Has something happen once it has written."""

    def __init__(self, store: Store, then: Any) -> None:
        self._store, self._then = store, then

    async def keep(self, traces: Sequence[RequestTrace]) -> None:
        await self._store.keep(traces)
        self._then()
        self._then = lambda: None
