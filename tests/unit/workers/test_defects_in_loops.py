"""A defect in one loop: the others go on, and the process does not believe that it knows what it has missed."""

import asyncio
import dataclasses
from collections.abc import Collection
from datetime import timedelta

import pytest
import structlog

from authcenter.core.ids import uuid7
from authcenter.core.job import Job
from authcenter.stores.memory.job_queue import MemoryJobQueue
from authcenter.stores.ports.spread import Epoch, Heard, Position
from authcenter.tokens.announcing import Announcer
from authcenter.workers.errands import Assignment, Persistence
from authcenter.workers.follow_stream import StreamFollower
from authcenter.workers.outbox import OutboxWorker
from tests.workbench import Workbench

HANG_SECONDS = 60
DEFECT = "unable to perform operation on <TCPTransport closed=True>; the handler is closed"


class Errand:
    def __init__(self) -> None:
        self.done = asyncio.Event()

    async def act(self, payload: object) -> None:
        self.done.set()


class Stumbling(MemoryJobQueue):
    """The first who asks meets a defect, or what he waits for is cancelled by somebody else."""

    def __init__(self, defect: type[BaseException]) -> None:
        super().__init__()
        self.defects: list[type[BaseException]] = [defect]
        self.asked_again = asyncio.Event()

    async def pop(self, names: Collection[str], at_most: timedelta) -> str | None:
        if self.defects:
            raise self.defects.pop()(DEFECT)
        self.asked_again.set()
        return await super().pop(names, at_most)


@pytest.mark.parametrize("defect", [RuntimeError, KeyError, asyncio.CancelledError])
async def test_the_outbox_is_worked_off_and_its_queue_heard_again(
    bench: Workbench, defect: type[BaseException]
) -> None:
    errand, queue = Errand(), Stumbling(defect)
    worker = OutboxWorker(
        outbox=bench.stores.outbox,
        assignments={"mail": Assignment(errand, Persistence())},
        metrics=bench.metrics,
        log=structlog.wrap_logger(bench.log, processors=[]),
        holder="one",
        ready=lambda: True,
        queue=queue,
    )
    await bench.stores.outbox.add([Job("mail", {})])
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(HANG_SECONDS):
        await errand.done.wait()
        await queue.asked_again.wait()
    assert not working.done()
    assert bench.counted("background_failure_total", work="outbox_queue") == 1
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_a_record_that_is_not_followed_for_a_defect_is_told_until_it_is_over(bench: Workbench) -> None:
    async def stumble(now: float) -> None:
        raise RuntimeError(DEFECT)

    follower = bench.service.follower
    assert await follower.step()
    with pytest.raises(RuntimeError):
        await dataclasses.replace(follower, forget=stumble).step()
    assert bench.counted("revocation_degraded") == 1
    assert await follower.step()
    assert bench.counted("revocation_degraded") == 0


class Stream:
    """Whose end can be told, and which cannot be read from everywhere."""

    def __init__(self) -> None:
        self.epoch, self.last_id, self.unreadable = Epoch(8, uuid7()), "1-0", {"1-0"}

    async def position(self) -> Position | None:
        return Position(self.epoch, self.last_id)

    async def follow(self, position: Position) -> Heard:
        if position.last_id in self.unreadable:
            raise TypeError(DEFECT)
        return Heard(position, [], [])

    async def announce(self, tokens: object, cuts: object) -> None:
        raise NotImplementedError

    async def look_up(self, digest: object, epoch: object) -> bool:
        raise NotImplementedError


async def test_a_stream_that_cannot_be_read_is_not_relied_on_and_followed_again_behind_it(bench: Workbench) -> None:
    stream, core = Stream(), bench.core
    follower = StreamFollower(
        spread=stream,
        announcer=Announcer(stream),
        revocations=core.revocations,
        policy=bench.policy,
        clock=bench.clock,
        health=bench.service.health,
        metrics=bench.metrics,
        log=structlog.wrap_logger(bench.log, processors=[]),
    )
    core.revocations.epoch = stream.epoch
    with pytest.raises(TypeError):
        await follower.step()
    assert core.revocations.epoch is None
    stream.last_id = "2-0"
    assert await follower.step()
    assert core.revocations.epoch == stream.epoch
