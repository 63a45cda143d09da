"""When a server that failed may be asked again: later each time, never earlier than it said, not all at once."""

from collections.abc import Callable
from math import inf

_LEAST_PAUSE, _MOST_PAUSE = 0.2, 30.0
_LONGEST_HONOURED = 600.0


class Backoff:
    """Counts failures in a row. Not for several tasks at once: whoever asks is the only one that asks."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        uniform: Callable[[float, float], float],
        *,
        least: float = _LEAST_PAUSE,
        most: float = _MOST_PAUSE,
    ) -> None:
        """Args:
        monotonic: Seconds that only rise.
        uniform: A random number between two others.
        least, most: Seconds of the first and of the longest pause, half of each by chance.
        """
        self._monotonic, self._uniform = monotonic, uniform
        self._least, self._most = least, most
        self._pause, self._until = least, -inf

    @property
    def wait(self) -> float:
        """Seconds until it may be asked again; 0: now."""
        return max(0.0, self._until - self._monotonic())

    def failed(self, retry_after: float = 0.0) -> None:
        """Pause; at least ``retry_after`` seconds, of which ten minutes are believed."""
        pause = self._pause * self._uniform(0.5, 1.0)
        self._until = self._monotonic() + max(pause, min(retry_after, _LONGEST_HONOURED))
        self._pause = min(self._pause * 2, self._most)

    def succeeded(self) -> None:
        self._pause, self._until = self._least, -inf
