"""When a server that failed may be asked again: later each time, never earlier than it said, not all at once."""

from collections.abc import Callable

_LEAST_PAUSE, _MOST_PAUSE = 0.2, 30.0
_LONGEST_HONOURED = 600.0


class Backoff:
    """Counts failures in a row. Not for several tasks at once: whoever asks is the only one that asks."""

    def __init__(self, monotonic: Callable[[], float], uniform: Callable[[float, float], float]) -> None:
        """Args:
        monotonic: Seconds that only rise.
        uniform: A random number between two others.
        """
        self._monotonic, self._uniform = monotonic, uniform
        self._pause = _LEAST_PAUSE
        self._until = 0.0

    @property
    def wait(self) -> float:
        """Seconds until it may be asked again; 0: now."""
        return max(0.0, self._until - self._monotonic())

    def failed(self, retry_after: float = 0.0) -> None:
        """Pause; at least ``retry_after`` seconds, of which ten minutes are believed."""
        pause = self._pause * self._uniform(0.5, 1.0)
        self._until = self._monotonic() + max(pause, min(retry_after, _LONGEST_HONOURED))
        self._pause = min(self._pause * 2, _MOST_PAUSE)

    def succeeded(self) -> None:
        self._pause, self._until = _LEAST_PAUSE, 0.0
