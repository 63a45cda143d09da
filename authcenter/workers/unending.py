"""Loops that never end by themselves. Where one does, by a defect, the service lives on, says so and begins it anew."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics

Loop: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""Goes on where it was when it is called again."""

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 10.0
_MOST_DOUBLINGS = 5

_STEADY_SECONDS = 60.0
"""What has gone on for so long ended of something new."""


@dataclass(frozen=True, slots=True)
class Unending:
    """Keeps loops going.

    Attributes:
        sleep: Takes seconds.
        elapsed: Seconds since some instant.
    """

    metrics: Metrics
    log: Logger
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    elapsed: Callable[[], float] = time.monotonic

    def start(self, loops: Mapping[str, Loop], on_end: Callable[[], object]) -> list["asyncio.Task[None]"]:
        """Keep each going, by its name, in a task of its own. ``on_end``: called where one ends for good, which it does
        when it is cancelled, or where nothing can even be told any more."""
        tasks = [asyncio.create_task(self.keep(name, loop)) for name, loop in loops.items()]
        for task in tasks:
            task.add_done_callback(lambda _: on_end())
        return tasks

    async def keep(self, name: str, loop: Loop) -> None:
        """Begin the loop, and again whenever it has ended, later and later; cancel the task to end it.

        Args:
            name: Of the loop, in the log and in ``background_failure_total``.
        """
        failures = 0
        while True:
            began = self.elapsed()
            await self._run(name, loop)
            self.metrics.background_failures.count(name)
            failures = 1 if self.elapsed() - began >= _STEADY_SECONDS else failures + 1
            pause = min(_FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, _MOST_DOUBLINGS), _LONGEST_PAUSE_SECONDS)
            await self.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

    async def _run(self, name: str, loop: Loop) -> None:
        try:
            await loop()
        except (Exception, asyncio.CancelledError):
            # Cancelled though nobody has asked this task to end: what it waited for was another's.
            if _asked_to_end():
                raise
            self.log.exception("background_work_failed", work=name)
        else:
            self.log.error("background_work_failed", work=name, hint="it ended as if it had nothing left to do")


def _asked_to_end() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
