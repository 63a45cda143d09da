"""How one process shares its slots among those whom jobs are for, so that a slow one does not hold up the others."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from authcenter.core.job import Job, Room

MOST_AT_ONCE = 16
SHARE = MOST_AT_ONCE // 2
"""Of one lane; and of all slow ones together."""
SLOW_SECONDS = 2.0
_MOST_KNOWN = 1_000


@dataclass(slots=True)
class Lanes:
    """What is under way, lane by lane, and who was slow the last time.

    Slow is a client that failed or took ``SLOW_SECONDS``. It is told one thing at a time until it is quick again, and
    all slow ones together have half of the slots: however many they are, the other half is for those who answer. Where
    jobs are for no client there is one receiver for all of them, and nobody to set apart.
    """

    _under_way: Counter[str] = field(default_factory=Counter, init=False)
    _slow: dict[str, None] = field(default_factory=dict, init=False)

    def begin(self, job: Job) -> None:
        self._under_way[job.lane] += 1

    def end(self, job: Job, *, slow: bool) -> None:
        self._under_way[job.lane] -= 1
        if not self._under_way[job.lane]:
            del self._under_way[job.lane]
        self._slow.pop(job.lane, None)
        if slow and job.client_id:
            self._slow[job.lane] = None
            if len(self._slow) > _MOST_KNOWN:
                del self._slow[next(iter(self._slow))]

    def rooms(self) -> Iterator[Room]:
        """What may be claimed now: first by the slow, who have little, then by the others. Begin the first's jobs
        before asking for the second."""
        idle = {lane: 1 for lane in self._slow if lane not in self._under_way}
        slow_room = SHARE - sum(self._under_way[lane] for lane in self._slow)
        if idle and (most := min(slow_room, self._free())) > 0:
            yield Room(most, 0, idle)
        if free := self._free():
            taken = {lane: max(SHARE - busy, 0) for lane, busy in self._under_way.items()}
            yield Room(free, SHARE, taken | dict.fromkeys(self._slow, 0))

    def _free(self) -> int:
        return MOST_AT_ONCE - self._under_way.total()
