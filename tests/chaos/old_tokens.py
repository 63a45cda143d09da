"""Somebody who goes on using what they hold: an access token and a signed-in browser, at every instance, on and on."""

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from urllib.parse import urlsplit

from tests.chaos.caller import Caller
from tests.chaos.fleet import Fleet
from tests.chaos.generator import starved_seconds

_PAUSE_SECONDS = 0.05
_HANG_SECONDS = 30
TOKEN, SESSION = "token", "session"


@dataclass(frozen=True, slots=True)
class Use:
    """An instance was asked.

    Attributes:
        what: ``TOKEN`` or ``SESSION``.
        sent: Monotonic seconds.
        starved: Seconds for which the instance had waited for a processor until then.
    """

    what: str
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
        """Whether every instance has answered so, of both, what was sent after ``since``."""
        told = {(use.what, use.instance) for use in list(self.uses) if use.sent > since and use.accepted is accepted}
        return told.issuperset(self.kinds)

    @property
    def kinds(self) -> list[tuple[str, int]]:
        """What is asked of whom."""
        return list(product((TOKEN, SESSION), range(self.instances)))

    def of(self, what: str, instance: int) -> list[Use]:
        """In the order in which they were sent."""
        return [use for use in self.uses if (use.what, use.instance) == (what, instance)]


@contextmanager
def old_tokens(fleet: Fleet, token: str, cookie: str) -> Iterator[OldTokens]:
    """Show an access token and a session's cookie to every instance while the block runs."""
    told = OldTokens(len(fleet.instances), [one.process.child.pid for one in fleet.instances])
    stopped = threading.Event()

    def show(number: int, caller: Caller) -> None:
        while not stopped.wait(_PAUSE_SECONDS):
            for what in (TOKEN, SESSION):
                starved, sent = told.starved(number), time.monotonic()
                accepted = active(caller, token) if what == TOKEN else signed_in(caller.url, cookie)
                # 'Cannot tell' lets nobody in, and says nothing more.
                if accepted is not None:
                    told.uses.append(Use(what, number, sent, starved, accepted))

    threads = [threading.Thread(target=show, args=pair) for pair in enumerate(fleet.callers)]
    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        stack.callback(stopped.set)
        yield told


def active(caller: Caller, token: str) -> bool | None:
    """Whether the instance accepts the token; None: it cannot tell."""
    try:
        answer = caller.post("/oauth/introspect", token=token)
    except (OSError, http.client.HTTPException):
        return None
    assert answer.status in (200, 503), answer
    return bool(answer.json["active"]) if answer.status == 200 else None


def signed_in(url: str, cookie: str) -> bool | None:
    """Whether the browser with this cookie sees its account, and is not sent to sign in; None: it cannot tell."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=_HANG_SECONDS)
    try:
        connection.request("GET", "/account", headers={"Cookie": f"authcenter_session={cookie}"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    assert answer.status in (200, 303, 503), answer.status
    return answer.status == 200 if answer.status != 503 else None
