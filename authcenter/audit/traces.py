"""Requests on their way to ``authcenter explain``: gathered here, written together, lost rather than waited for.

What a request that proved who it is went through is kept for as long as the policy says; strangers share a ring of
slots, so that they cannot fill the disk. Requests that only read and were answered are kept as far as a budget reaches:
a gateway asks thousands of times a second, and nobody asks why it was told yes.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from authcenter.core.checks import Checks
from authcenter.core.clock import Clock
from authcenter.core.errors import Unavailable
from authcenter.core.origin import RequestOrigin
from authcenter.stores.ports.request_traces import STRANGERS_SLOTS, RequestTrace, RequestTraces
from authcenter.telemetry.logs import Logger

_MOST_WAITING = 10_000
_ROWS_AT_ONCE = 250
_SECONDS_BETWEEN_WRITES = 0.2
_ANSWERED_READS_A_SECOND = 100
_MOST_HINT = 1_000
_MOST_USER_AGENT = 300
_MOST_CLIENT_ID = 255
_MOST_IP = 64
"""What a stranger can make longer than the record takes: one such row would keep all others from being written."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A request and its answer.

    Attributes:
        known: Whether the client proved who it is, or a token of it did.
    """

    origin: RequestOrigin
    method: str
    route: str
    status: int
    client_id: str
    rule: str
    hint: str
    checks: Checks
    known: bool


@dataclass(slots=True)
class TraceLog:
    """One process's part.

    Attributes:
        lasts: Seconds for which a request can be explained.
        sleep: Takes seconds.
        slots: How many requests of strangers are remembered, by all processes together.
    """

    traces: RequestTraces
    clock: Clock
    lasts: Callable[[], int]
    log: Logger
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    slots: int = STRANGERS_SLOTS
    _waiting: "deque[RequestTrace]" = field(default_factory=lambda: deque(maxlen=_MOST_WAITING), init=False)
    _slot: int = field(default=0, init=False)
    _second: int = field(default=0, init=False)
    _answered_reads: int = field(default=0, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _postponed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        # Processes begin at different places, so that they do not overwrite each other's newest.
        self._slot = random.randrange(self.slots)  # noqa: S311 - a place, not a secret

    def takes_answered_read(self) -> bool:
        """Whether the budget reaches for one more request that only asked something, and was told."""
        second = int(self.clock.seconds())
        if second != self._second:
            self._second, self._answered_reads = second, 0
        self._answered_reads += 1
        return self._answered_reads <= _ANSWERED_READS_A_SECOND

    def record(self, traced: Traced) -> None:
        """Have it kept. Never waits; where it piles up, the oldest are dropped."""
        at, origin = self.clock.now(), traced.origin
        self._waiting.append(
            RequestTrace(
                request_id=origin.request_id,
                at=at,
                method=traced.method,
                route=traced.route,
                status=traced.status,
                client_id=_storable(traced.client_id, _MOST_CLIENT_ID),
                ip=_storable(origin.ip, _MOST_IP),
                user_agent=_storable(origin.user_agent, _MOST_USER_AGENT),
                rule=traced.rule,
                hint=_storable(traced.hint, _MOST_HINT),
                checks=json.dumps(traced.checks, separators=(",", ":")),
                expires_at=at + timedelta(seconds=self.lasts()),
                slot=None if traced.known else self._next_slot(),
            )
        )
        self._wake.set()

    async def run(self) -> None:
        """Write for ever; cancel the task to end it."""
        while True:
            await self._wake.wait()
            await self.sleep(_SECONDS_BETWEEN_WRITES)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits. What the record does not take is tried again with the next."""
        self._wake.clear()
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _ROWS_AT_ONCE))]
            try:
                await self.traces.keep(batch)
            except Unavailable as failure:
                self._waiting.extendleft(reversed(batch[: _MOST_WAITING - len(self._waiting)]))
                if not self._postponed:
                    self.log.warning("traces_postponed", hint=str(failure))
                self._postponed = True
                return
            self._postponed = False

    def _next_slot(self) -> int:
        self._slot = (self._slot + 1) % self.slots
        return self._slot


def _storable(text: str, most: int) -> str:
    """The beginning of what a stranger sent. No database takes lone surrogates, and PostgreSQL no NUL."""
    return text[:most].encode(errors="backslashreplace").decode().replace("\0", "\\x00")[:most]
