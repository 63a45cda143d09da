"""Slow receivers, however many, leave room for those who answer."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
import structlog
from structlog.testing import CapturingLogger

from authcenter.core.job import Job, Room
from authcenter.workers.errands import Assignment, ErrandFailed
from authcenter.workers.lanes import MOST_AT_ONCE, SHARE, SLOW_SECONDS, Lanes
from authcenter.workers.outbox import OutboxWorker
from tests.workbench import Workbench


def job(client_id: str = "") -> Job:
    return Job("logout", {"client_id": client_id} if client_id else {})


def lane(client_id: str) -> str:
    return job(client_id).lane


def test_at_first_each_has_its_share() -> None:
    assert list(Lanes().rooms()) == [Room(MOST_AT_ONCE, SHARE)]


def test_what_is_under_way_is_counted() -> None:
    lanes = Lanes()
    for _ in range(3):
        lanes.begin(job("shop"))
    assert list(lanes.rooms()) == [Room(MOST_AT_ONCE - 3, SHARE, {lane("shop"): SHARE - 3})]
    for _ in range(3):
        lanes.end(job("shop"), slow=False)
    assert list(lanes.rooms()) == [Room(MOST_AT_ONCE, SHARE)]


def test_who_was_slow_is_told_one_thing_at_a_time_until_it_is_quick() -> None:
    lanes = Lanes()
    lanes.begin(job("slow"))
    lanes.end(job("slow"), slow=True)
    others = Room(MOST_AT_ONCE, SHARE, {lane("slow"): 0})
    assert list(lanes.rooms()) == [Room(SHARE, 0, {lane("slow"): 1}), others]
    lanes.begin(job("slow"))
    assert list(lanes.rooms()) == [Room(MOST_AT_ONCE - 1, SHARE, {lane("slow"): 0})]
    lanes.end(job("slow"), slow=False)
    assert list(lanes.rooms()) == [Room(MOST_AT_ONCE, SHARE)]


def test_all_slow_ones_together_have_half() -> None:
    lanes, many = Lanes(), [f"slow-{number}" for number in range(100)]
    for name in many:
        lanes.begin(job(name))
        lanes.end(job(name), slow=True)
    for name in many[:SHARE]:
        lanes.begin(job(name))
    (others,) = lanes.rooms()
    assert (others.most, others.of(lane("quick"))) == (MOST_AT_ONCE - SHARE, SHARE)
    assert {others.of(lane(name)) for name in many} == {0}


def test_who_has_no_slot_free_claims_nothing() -> None:
    lanes = Lanes()
    lanes.begin(job("slow"))
    lanes.end(job("slow"), slow=True)
    for number in range(MOST_AT_ONCE):
        lanes.begin(job(f"{number}"))
    assert list(lanes.rooms()) == []


def test_what_is_for_no_client_is_never_set_apart() -> None:
    lanes = Lanes()
    lanes.begin(job())
    lanes.end(job(), slow=True)
    assert list(lanes.rooms()) == [Room(MOST_AT_ONCE, SHARE)]


def test_only_so_many_are_remembered() -> None:
    lanes = Lanes()
    for number in range(2_000):
        lanes.begin(job(f"{number}"))
        lanes.end(job(f"{number}"), slow=True)
    slow, _ = lanes.rooms()
    assert len(slow.lanes) == 1_000
    assert lane("1999") in slow.lanes


class Receivers:
    """Clients: some keep whoever comes until they are let go, some fail, the others answer."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.seconds, self.let_go = 0.0, asyncio.Event()

    async def act(self, payload: Mapping[str, Any]) -> None:
        name = str(payload["client_id"])
        if name.startswith("stalls"):
            await self.let_go.wait()
        if name.startswith("fails"):
            raise ErrandFailed("status 500")
        if name.startswith("drags"):
            self.seconds += SLOW_SECONDS
        self.told.append(name)


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
def worker(bench: Workbench, receivers: Receivers) -> OutboxWorker:
    return OutboxWorker(
        outbox=bench.stores.outbox,
        assignments={"logout": Assignment(receivers)},
        metrics=bench.metrics,
        log=structlog.wrap_logger(CapturingLogger(), processors=[]),
        holder="one",
        ready=lambda: True,
        elapsed=lambda: receivers.seconds,
    )


async def test_one_that_stalls_does_not_fill_all_slots(
    bench: Workbench, worker: OutboxWorker, receivers: Receivers
) -> None:
    await bench.stores.outbox.add([job("stalls") for _ in range(5 * MOST_AT_ONCE)])
    bench.clock.advance(1)
    await bench.stores.outbox.add([job("quick")])
    assert await worker.step() == SHARE + 1
    while not receivers.told:
        await asyncio.sleep(0)
    assert receivers.told == ["quick"]
    receivers.let_go.set()
    await worker.settle()


@pytest.mark.parametrize("kind", ["fails", "drags"])
async def test_many_slow_ones_leave_half_to_the_others(
    bench: Workbench, worker: OutboxWorker, receivers: Receivers, kind: str
) -> None:
    slow = [f"{kind}-{number}" for number in range(MOST_AT_ONCE)]
    await bench.stores.outbox.add([job(name) for name in slow])
    assert await worker.step() == MOST_AT_ONCE
    await worker.settle()
    bench.clock.advance(3_600)
    receivers.told.clear()
    # What failed is due again, and there is more; and now none of them answers at all.
    await bench.stores.outbox.add([job(name) for name in slow for _ in range(3)])
    bench.clock.advance(1)
    quick = [f"quick-{number}" for number in range(SHARE)]
    await bench.stores.outbox.add([job(name) for name in quick])
    assert await worker.step() == MOST_AT_ONCE
    await worker.settle()
    assert {name for name in receivers.told if name.startswith("quick")} == set(quick)
