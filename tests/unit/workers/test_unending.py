"""Loops of background work go on, whatever one of them meets."""

import asyncio
from collections.abc import Callable

import pytest
import structlog
from structlog.testing import CapturingLogger

from authcenter.telemetry.metrics import Metrics
from authcenter.workers.unending import Loop, Unending

HANG_SECONDS = 60


async def fail() -> None:
    raise RuntimeError("unable to perform operation on a transport; the handler is closed")


async def lose_what_it_waits_for() -> None:
    awaited = asyncio.get_running_loop().create_future()
    awaited.cancel()
    await awaited


async def return_at_once() -> None:
    return


ENDS = [
    pytest.param(fail, True, id="a defect"),
    pytest.param(lose_what_it_waits_for, True, id="what it waits for is cancelled"),
    pytest.param(return_at_once, False, id="nothing left to do"),
]


class Kept:
    """What is kept going, and what was told of it."""

    def __init__(self, lives: Callable[[], float] = lambda: 0.0) -> None:
        """``lives``: for how many seconds each try is alive."""
        self.log, self.metrics, self.pauses = CapturingLogger(), Metrics(), list[float]()
        self.now, self.lives = 0.0, lives
        logger = structlog.wrap_logger(self.log, processors=[])
        self.unending = Unending(self.metrics, logger, self.pause, lambda: self.now)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    async def fails(self, loop: Loop, times: int) -> None:
        async def live() -> None:
            if len(self.pauses) == times:
                reached.set()
                await asyncio.Event().wait()
            self.now += self.lives()
            await loop()

        reached = asyncio.Event()
        keeping = asyncio.create_task(self.unending.keep("some loop", live))
        async with asyncio.timeout(HANG_SECONDS):
            await reached.wait()
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping


@pytest.mark.parametrize(("loop", "traceback"), ENDS)
async def test_a_loop_that_ends_is_told_of_counted_and_begun_anew(loop: Loop, traceback: bool) -> None:
    kept = Kept()
    await kept.fails(loop, 3)
    assert kept.metrics.background_failures.value("some loop") == 3
    told = [(call.kwargs["event"], call.kwargs["work"], "exc_info" in call.kwargs) for call in kept.log.calls]
    assert told == [("background_work_failed", "some loop", traceback)] * 3


async def test_each_try_comes_later_up_to_ten_seconds() -> None:
    kept = Kept()
    await kept.fails(fail, 2_000)
    for number, pause in enumerate(kept.pauses):
        longest = min(0.5 * 2 ** min(number, 10), 10.0)
        assert longest / 2 <= pause <= longest


async def test_who_lived_long_is_begun_anew_soon() -> None:
    kept = Kept(lives=lambda: 60.0)
    await kept.fails(fail, 20)
    assert max(kept.pauses) <= 0.5


async def test_what_fails_as_it_is_ended_is_not_begun_anew() -> None:
    async def stumble_over_the_end() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError from None

    kept = Kept()
    keeping = asyncio.create_task(kept.unending.keep("some loop", stumble_over_the_end))
    await asyncio.sleep(0)
    keeping.cancel()
    async with asyncio.timeout(HANG_SECONDS):
        await asyncio.wait({keeping})
    assert kept.log.calls == []
