"""People who go on using what they hold: the same access token, at every instance, again and again."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.chaos.caller import Caller
from tests.chaos.fleet import Fleet
from tests.chaos.generator import starved_seconds

_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Use:
    """A token was shown to an instance.

    Attributes:
        sent: Monotonic seconds.
        starved: Seconds for which the instance had waited for a processor until then.
    """

    instance: int
    sent: float
    starved: float
    accepted: bool


@dataclass(slots=True)
class OldTokens:
    """What came of it, as it happens."""

    instances: int
    pids: Sequence[int]
    uses: list[Use] = field(default_factory=list)

    def starved(self, instance: int) -> float:
        return starved_seconds((str(self.pids[instance]),))

    def everywhere(self, accepted: bool, since: float) -> bool:
        """Whether every instance has answered so a request that was sent after ``since``."""
        told = {use.instance for use in list(self.uses) if use.sent > since and use.accepted is accepted}
        return len(told) == self.instances

    def of(self, instance: int) -> list[Use]:
        """In the order in which they were sent."""
        return [use for use in self.uses if use.instance == instance]


@contextmanager
def old_tokens(fleet: Fleet, token: str) -> Iterator[OldTokens]:
    """Show ``token`` to every instance while the block runs."""
    told = OldTokens(len(fleet.instances), [one.process.child.pid for one in fleet.instances])
    stopped = threading.Event()

    def show(number: int, caller: Caller) -> None:
        while not stopped.wait(_PAUSE_SECONDS):
            starved, sent = told.starved(number), time.monotonic()
            told.uses.append(Use(number, sent, starved, caller.active(token)))

    threads = [threading.Thread(target=show, args=pair) for pair in enumerate(fleet.callers)]
    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        stack.callback(stopped.set)
        yield told
