"""Rotation by policy over months, on one instance and on several."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
import structlog
from structlog.testing import CapturingLogger

from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.event import EventKind
from authcenter.jose.algorithms import Alg
from authcenter.keys.ring import RETIREMENT
from authcenter.keys.schedule import PRIVATE_HALF_KEPT
from authcenter.stores.ports.keys import StoredKey
from authcenter.workers.rotation import ACTOR, RotationWorker
from tests.workbench import Workbench

DAY, STEP = timedelta(days=1), timedelta(hours=2)
POLICY = "keys: {rotate_every: 604800, publish_before_use: 14400}\njwks: {max_age: 600}"
WEEK = timedelta(weeks=1)


class Instance:
    """One process, whose ring is as fresh as its follower keeps it."""

    def __init__(self, bench: Workbench, name: str) -> None:
        self.core = bench.another_core()
        self.log = CapturingLogger()
        self.worker = RotationWorker(
            rotation=self.core.rotation,
            keys=self.core.keys,
            brake=self.core.brake,
            locks=bench.stores.locks,
            policy=bench.policy,
            clock=bench.clock,
            log=structlog.wrap_logger(self.log, processors=[]),
            holder=name,
            ready=lambda: self.core.keys.loaded,
        )

    async def step(self) -> None:
        await self.core.keys.reload()
        await self.worker.step()


@pytest.fixture
async def bench(cheap_hashing: PasswordHashing) -> Workbench:
    return await Workbench(cheap_hashing, POLICY).start()


def line(bench: Workbench, alg: Alg = Alg.ES256) -> list[StoredKey]:
    keys = [key for key in bench.record.tables.keys.values() if key.alg == alg]
    return sorted(keys, key=lambda key: key.signs_from)


def steps(bench: Workbench, period: timedelta) -> Iterator[None]:
    end = bench.clock.now() + period
    while bench.clock.now() < end:
        bench.clock.at += STEP
        yield


@pytest.mark.parametrize("instances", [1, 2, 3])
async def test_months_of_rotation_make_one_key_a_week_and_fail_no_token(bench: Workbench, instances: int) -> None:
    processes = [Instance(bench, str(number)) for number in range(instances)]
    tokens: list[tuple[str, float]] = []
    for _ in steps(bench, 70 * DAY):
        await asyncio.gather(*(process.step() for process in processes))
        await bench.core.keys.reload()
        tokens = [(token, lapses) for token, lapses in tokens if lapses > bench.clock.seconds()]
        tokens.append(((await bench.ask("client_credentials")).access, bench.clock.seconds() + 900))
        for process in processes:
            for token, _ in tokens:
                await process.core.verifier.read_issued(token)
    keys = line(bench)
    # The first had signed for a day when the months began.
    assert [later.signs_from - earlier.signs_from for earlier, later in pairwise(keys)] == [WEEK] * (len(keys) - 1)
    assert len(keys) == 11
    assert all(key.signs_from - key.created_at >= timedelta(hours=4) for key in keys[1:])
    told = [event for event in bench.events if event.context["alg"] == Alg.ES256]
    created = [event.context["kid"] for event in told if event.kind is EventKind.KEY_CREATED]
    assert created == [key.kid for key in keys[1:]]
    assert {event.actor for event in bench.events} == {ACTOR}
    # Each private half is gone a day and an hour after its key ceased to sign; each public half is kept.
    for key, successor in pairwise(keys):
        spent = successor.signs_from + RETIREMENT + PRIVATE_HALF_KEPT <= bench.clock.now()
        assert (key.private_pem == "", key.retired_at) == (spent, successor.signs_from if spent else None)
    dropped = [event.context["kid"] for event in told if event.kind is EventKind.KEY_DROPPED]
    assert dropped == [key.kid for key in keys if not key.private_pem]
    assert len(dropped) == len(keys) - 2


async def test_every_algorithm_that_clients_may_choose_rotates(bench: Workbench) -> None:
    await bench.core.rotation.ensure("tests")
    process, begun = Instance(bench, "one"), bench.clock.now()
    for _ in steps(bench, 16 * DAY):
        await process.step()
    for alg in Alg:
        keys = line(bench, alg)
        assert [later.signs_from - earlier.signs_from for earlier, later in pairwise(keys)] == [WEEK, WEEK], alg
        assert process.core.keys.ring.signer(alg).signs_from > begun


async def test_by_hand_nothing_is_made_but_private_halves_are_still_destroyed(bench: Workbench) -> None:
    bench.offer("keys: {rotate_every: 0}")
    process, old = Instance(bench, "one"), bench.signer.kid
    await bench.core.rotation.rotate(Alg.ES256, timedelta(0), "tests")
    for _ in steps(bench, 200 * DAY):
        await process.step()
    assert len(line(bench)) == 2
    assert bench.record.tables.keys[old].private_pem == ""


async def test_while_it_is_paused_nothing_happens_and_afterwards_it_goes_on(bench: Workbench) -> None:
    process = Instance(bench, "one")
    await bench.core.brake.pause(bench.clock.now() + 30 * DAY, "tests")
    for _ in steps(bench, 30 * DAY - STEP):
        await process.step()
    assert len(line(bench)) == 1
    for _ in steps(bench, STEP):
        await process.step()
    (_, new) = line(bench)
    assert new.signs_from == bench.clock.now() + timedelta(hours=4)


async def test_a_key_that_was_taken_back_is_not_made_again_the_next_second(bench: Workbench) -> None:
    process = Instance(bench, "one")
    while len(line(bench)) == 1:
        bench.clock.at += STEP
        await process.step()
    await bench.core.rotation.roll_back(Alg.ES256, "tests")
    taken_back_at = bench.clock.now()
    while len(line(bench)) == 2:
        bench.clock.at += STEP
        await process.step()
    assert line(bench)[-1].signs_from == taken_back_at + WEEK


async def test_while_nothing_is_due_nobody_is_asked(bench: Workbench) -> None:
    process = Instance(bench, "one")
    await process.core.keys.reload()
    bench.board.asked.clear()
    await process.worker.step()
    assert bench.board.asked == []


async def test_another_instance_with_the_lock_is_left_alone(bench: Workbench) -> None:
    process = Instance(bench, "one")
    bench.clock.at += 2 * WEEK
    await bench.stores.locks.acquire("keys.rotation", "another", timedelta(seconds=60))
    await process.step()
    assert len(line(bench)) == 1
    bench.clock.advance(60)
    await process.step()
    assert len(line(bench)) == 2
    assert bench.record.tables.leases == {}


async def test_an_outage_is_told_once_and_waited_out(bench: Workbench) -> None:
    process = Instance(bench, "one")
    await process.core.keys.reload()
    bench.clock.at += 2 * WEEK
    bench.board.down = True
    for _ in range(3):
        await process.worker.step()
    bench.board.down = False
    await process.step()
    events = [call.kwargs["event"] for call in process.log.calls]
    assert events == ["key_rotation_postponed", "signing_key_made", "signing_key_made"]
    bench.clock.at += timedelta(hours=4)
    await process.step()
    assert process.log.calls[-1].kwargs["event"] == "signing_key_took_over"


async def test_a_process_that_is_not_ready_does_nothing(bench: Workbench) -> None:
    process = Instance(bench, "one")
    bench.clock.at += 2 * WEEK
    await process.worker.step()
    assert len(line(bench)) == 1
