"""Forgetting at once what others have written."""

import asyncio
from datetime import timedelta

from authcenter.core.errors import StoreUnavailable
from authcenter.stores.memory.shared import MemoryWakeUps
from authcenter.workers.hints import ChangeHints
from tests.workbench import SetClock

HANG_SECONDS = 30


async def test_each_hint_makes_the_feed_be_read_also_after_one_that_could_not_be() -> None:
    wake_ups, clock, asked = MemoryWakeUps(), SetClock(), list[float]()

    async def forget(now: float) -> None:
        asked.append(now)
        if len(asked) == 1:
            raise StoreUnavailable("down")

    assert not await wake_ups.wait("changes", timedelta(milliseconds=1))
    following = asyncio.create_task(ChangeHints(wake_ups, "changes", forget, clock).run())
    async with asyncio.timeout(HANG_SECONDS):
        for number in (1, 2):
            await wake_ups.wake("changes")
            while len(asked) < number:
                await asyncio.sleep(0.001)
    following.cancel()
    assert asked == [clock.seconds()] * 2
