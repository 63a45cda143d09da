"""After failures, wait before asking again: longer each time, and not in step with the rest of the fleet."""

from collections.abc import Callable

_FIRST_SECONDS, _LONGEST_SECONDS = 1.0, 60.0
_MOST_DOUBLINGS = 10


class FetchBreaker:
    """Closed until something fails; then open for 1, 2, 4 … 60 seconds, each time half of it by chance."""

    def __init__(self, monotonic: Callable[[], float], draw: Callable[[], float]) -> None:
        """``draw``: a number in [0, 1)."""
        self._monotonic, self._draw = monotonic, draw
        self._failures = 0
        self._open_until = 0.0

    def wait(self) -> float:
        """Seconds until the next attempt is due; 0: now."""
        return max(0.0, self._open_until - self._monotonic()) if self._failures else 0.0

    def failed(self) -> None:
        longest = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** min(self._failures, _MOST_DOUBLINGS))
        self._failures += 1
        self._open_until = self._monotonic() + longest * (0.5 + self._draw() / 2)

    def succeeded(self) -> None:
        self._failures = 0
