"""Slots that come free again one by one (GCRA, the leaky bucket of ITU-T I.371): one number a key."""

from dataclasses import dataclass, field

_FEWEST_TO_SWEEP = 1024
_TOLERANCE = 0.001
"""Of a slot: what a sum of floats may be off by."""


@dataclass(slots=True)
class SlotTable:
    """``limit`` slots a key at once; each is free again ``per_seconds / limit`` after the one before it.

    Any span of ``t`` seconds gives at most ``limit + t * limit / per_seconds`` slots. Time comes with each call.

    Attributes:
        began: What time is reckoned from, near the present: Unix seconds leave a float too few digits for high rates.
        interval: Seconds until one slot is free again.
        most_keys: Where strangers choose keys, memory must end somewhere: those that are free soonest are forgotten.
    """

    limit: int
    per_seconds: float
    began: float
    most_keys: int = 200_000
    interval: float = field(init=False)
    _free_at: dict[str, float] = field(default_factory=dict, init=False, repr=False)
    _sweep_at: int = field(default=_FEWEST_TO_SWEEP, init=False)

    def __post_init__(self) -> None:
        self.interval = self.per_seconds / self.limit

    def __contains__(self, key: str) -> bool:
        """False: all slots are free."""
        return key in self._free_at

    def __len__(self) -> int:
        return len(self._free_at)

    def take(self, key: str, now: float, slots: int = 1) -> float:
        """Take ``slots``, or none: the seconds until there will be so many, 0 where they were taken.

        More than ``limit`` are never to be had: infinity.
        """
        now -= self.began
        free_at = self._free_at.get(key, now)
        if free_at < now:  # noqa: PLR1730 - a call of max is a third of what this method costs
            free_at = now
        after = free_at + slots * self.interval
        wait = after - now - self.per_seconds
        if wait > self.interval * _TOLERANCE:
            return wait if slots <= self.limit else float("inf")
        self._free_at[key] = after
        if len(self._free_at) > self._sweep_at:
            self._sweep(now)
        return 0.0

    def give_back(self, key: str, now: float, slots: int = 1) -> None:
        """Undo ``take``. What has come free meanwhile by itself is not given twice."""
        free_at = self._free_at.get(key)
        if free_at is None:
            return
        free_at -= slots * self.interval
        if free_at - (now - self.began) > self.interval * _TOLERANCE:
            self._free_at[key] = free_at
        else:
            del self._free_at[key]

    def fill(self, key: str, now: float, reset_after: float) -> None:
        """Let all slots of ``key`` be free in ``reset_after`` seconds, as somebody else counted."""
        if reset_after > self.interval * _TOLERANCE:
            self._free_at[key] = now - self.began + reset_after
        else:
            self._free_at.pop(key, None)

    def wait(self, key: str, now: float) -> float:
        """Seconds until a slot is free, 0 where one is."""
        free_at = self._free_at.get(key)
        if free_at is None:
            return 0.0
        wait = free_at + self.interval - (now - self.began) - self.per_seconds
        return wait if wait > self.interval * _TOLERANCE else 0.0

    def left(self, key: str, now: float) -> tuple[int, float]:
        """How many slots are free, and the seconds until all are."""
        now -= self.began
        reset_after = self._free_at.get(key, now) - now
        if reset_after <= 0:
            return self.limit, 0.0
        free = int((self.per_seconds - reset_after) / self.interval + _TOLERANCE)
        return max(0, free), reset_after

    def _sweep(self, now: float) -> None:
        taken = {key: at for key, at in self._free_at.items() if at > now}
        if len(taken) > self.most_keys:
            latest = sorted(taken, key=taken.__getitem__)[-self.most_keys // 2 :]
            taken = {key: taken[key] for key in latest}
        self._free_at = taken
        self._sweep_at = min(max(_FEWEST_TO_SWEEP, 2 * len(taken)), self.most_keys)
