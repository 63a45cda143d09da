"""A circuit breaker: a dependency that does not answer costs one time-out, not one a request."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextvars import Context

_LEAST_PAUSE, _MOST_PAUSE = 0.1, 2.0


class CircuitBreaker:
    """Closed: calls go through. Open, after a failure: they are refused at once, until a probe succeeds.

    Attributes:
        open: Whether calls are refused.
    """

    def __init__(
        self, probe: Callable[[], Awaitable[object]], on_change: Callable[[bool], None] = lambda _: None
    ) -> None:
        """``probe`` raises while the dependency does not answer; ``on_change`` is told whether it is up."""
        self._probe, self._on_change = probe, on_change
        self._probing: asyncio.Task[None] | None = None
        self.open = False

    def trip(self) -> None:
        """Open, because a call has failed, and begin to probe."""
        if not self.open:
            self.open = True
            self._on_change(False)
        if self._probing is None or self._probing.done():
            # In a context of its own: what is logged of the recovery belongs to no request.
            self._probing = asyncio.get_running_loop().create_task(self._probe_until_up(), context=Context())

    async def close(self) -> None:
        """End the probe."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    async def _probe_until_up(self) -> None:
        pause = _LEAST_PAUSE
        while True:
            # Jitter, so that instances do not come back to a restarted server all at once.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(pause * 2, _MOST_PAUSE)
            try:
                await self._probe()
            except asyncio.CancelledError:
                raise
            except Exception:  # noqa: BLE001, S112 - whatever it raises, the dependency is not up
                continue
            self.open = False
            self._on_change(True)
            return
