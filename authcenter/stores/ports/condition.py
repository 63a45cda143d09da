"""What a deployment's own stores tell about how they are kept: for ``authcenter doctor``, never for a request."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Another machine's clock, read over the network.

    Attributes:
        ahead: Seconds by which this machine's clock is ahead of the other.
        doubt: Seconds by which that may be wrong: half of what the answer took.
    """

    ahead: float
    doubt: float

    @property
    def least(self) -> float:
        """By how many seconds the clocks differ at least."""
        return max(0.0, abs(self.ahead) - self.doubt)


@dataclass(frozen=True, slots=True)
class RedisCondition:
    """One Redis server, as it describes itself.

    Attributes:
        node: Its address where it is one of a cluster; else empty.
        eviction: Its ``maxmemory-policy``; empty: it did not say.
        most_bytes: Its ``maxmemory``; 0: none.
        appends: Whether it writes each change to its append-only file.
        snapshots: Whether it writes snapshots by itself; None: it did not say.
        failing: What it last failed to write; empty: nothing.
    """

    node: str
    clock: ClockReading
    eviction: str
    most_bytes: int
    appends: bool
    snapshots: bool | None
    failing: str = ""


HashCosts = Mapping[str, int]
"""How many password hashes there are of each cost; the cost is the part of the hash before its salt."""
