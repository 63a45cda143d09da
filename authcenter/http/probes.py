"""Who asks whether this service is ready, and whether they have heard that it no longer is."""

import asyncio
import contextlib
import time
from collections.abc import Callable

_RECENT_SECONDS = 30.0
"""Who has asked so lately asks regularly: no balancer waits longer between two questions."""

_TIMES = 3
"""So many refusals in a row take a server out of a balancer (HAProxy's `fall`, Kubernetes' `failureThreshold`)."""

_LONGEST_SECONDS = 6.0
"""Three questions at HAProxy's interval of two seconds; and the rest of the draining fits into the 30 seconds that
Kubernetes gives."""

_REACTION_SECONDS = 0.1
_MOST_ADDRESSES = 64


class Probes:
    """Those who ask ``/readyz``, by address."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._asked: dict[str, float] = {}
        self._times_left: dict[str, int] = {}
        self._all_told = asyncio.Event()

    def note(self, address: str, *, ready: bool) -> None:
        """Somebody at ``address`` has asked, and been told ``ready``."""
        now = self._seconds()
        if len(self._asked) >= _MOST_ADDRESSES:
            self._asked = self._recent(now)
        self._asked[address] = now
        if not ready and address in self._times_left:
            self._times_left[address] -= 1
            if not self._times_left[address]:
                del self._times_left[address]
            if not self._times_left:
                self._all_told.set()

    async def told(self) -> None:
        """Wait until all who asked of late have been told often enough that this service is not ready any more.

        At once where nobody did; at most 6 seconds.
        """
        self._times_left = dict.fromkeys(self._recent(self._seconds()), _TIMES)
        if not self._times_left:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_told.wait(), _LONGEST_SECONDS)
        await asyncio.sleep(_REACTION_SECONDS)

    def _recent(self, now: float) -> dict[str, float]:
        return {address: at for address, at in self._asked.items() if now - at <= _RECENT_SECONDS}
