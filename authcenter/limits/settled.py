"""A limit that costs no round trip: counted in the process, settled with the shared counters five times a second."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import NamedTuple

from authcenter.core.checks import failed
from authcenter.core.clock import Clock
from authcenter.core.errors import RateLimited, Unavailable
from authcenter.core.gcra import SlotTable
from authcenter.core.rules import Rule
from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import RateCounters

SECONDS_BETWEEN_SETTLEMENTS = 0.2
MOST_KEYS_A_SETTLEMENT = 100
_MOST_UNSETTLED_KEYS = 20_000


class Quota(NamedTuple):
    """How a key stands: ``limit`` slots, ``remaining`` of them free, all of them in ``reset_after`` seconds."""

    limit: int
    remaining: int
    reset_after: float


@dataclass(slots=True)
class _Book:
    """What was counted under one rate.

    Attributes:
        unsettled: Slots by key that the shared counters do not know of yet; below 0: given back since they learnt it.
    """

    rate: Rate
    slots: SlotTable
    unsettled: dict[str, int] = field(default_factory=dict)

    def note(self, key: str, slots: int) -> None:
        count = self.unsettled.get(key, 0) + slots
        if count:
            self.unsettled[key] = count
        else:
            self.unsettled.pop(key, None)


class SettledLimit:
    """Slots per key, counted here; what all instances took is summed in the shared counters.

    Settling takes there what was taken here, and adopts how full that left the key. What found no room there is owed:
    it counts here until it is paid, so that instances together give ``limit`` at once and ``rate`` thereafter, plus
    what they gave between two settlements. While the shared counters are gone, each process counts for itself, and
    owes nothing for that time afterwards.
    """

    def __init__(self, name: str, rule: Rule, rate: Callable[[], Rate], clock: Clock, shared: RateCounters) -> None:
        """``name`` begins the shared keys and says in hints what is counted; ``rate`` is asked at every use."""
        self.name, self._rule, self._rate, self._clock, self._shared = name, rule, rate, clock, shared
        self._book = self._opened(rate())

    def check(self, key: str) -> None:
        """See that a slot is free, without taking it. Raises ``RateLimited``."""
        if key not in self._book.slots:
            return
        slots, now = self._in_force().slots, self._clock.seconds()
        if wait := slots.wait(key, now):
            raise self._refusal(key, wait, now)

    def take(self, key: str) -> None:
        """Take a slot. Raises ``RateLimited``."""
        book, now = self._in_force(), self._clock.seconds()
        if wait := book.slots.take(key, now):
            raise self._refusal(key, wait, now)
        book.unsettled[key] = book.unsettled.get(key, 0) + 1

    def give_back(self, key: str) -> None:
        """Undo ``take``."""
        book = self._in_force()
        book.slots.give_back(key, self._clock.seconds())
        book.note(key, -1)

    def quota(self, key: str) -> Quota:
        """How the key stands."""
        slots = self._in_force().slots
        return Quota(slots.limit, *slots.left(key, self._clock.seconds()))

    async def settle(self) -> None:
        """Sum with the others, once.

        The keys first of which most was taken, at most 100 of them: many clients that each ask seldom wait a little,
        and cost Redis no more than a few busy ones.
        """
        book = self._in_force()
        if len(book.unsettled) > _MOST_UNSETTLED_KEYS:
            # Strangers choose some keys. Those forgotten go on counting in this process.
            book.unsettled = dict(nlargest(_MOST_UNSETTLED_KEYS // 2, book.unsettled.items(), key=lambda row: row[1]))
        for key in nlargest(MOST_KEYS_A_SETTLEMENT, book.unsettled, key=book.unsettled.__getitem__):
            try:
                await self._settle(key, book)
            except Unavailable:
                book.unsettled.clear()
                return

    async def _settle(self, key: str, book: _Book) -> None:
        rate, shared_key, count = book.rate, f"{self.name}:{book.rate}:{key}", book.unsettled.pop(key, 0)
        if count <= 0:
            if count:
                await self._shared.give_back(shared_key, rate, -count)
            return
        # More than that is never to be had at once, and owing more would shut a client out for longer than its limit.
        count = min(count, rate.limit)
        taken = await self._shared.take(shared_key, rate, count)
        if not taken.allowed:
            owed = count
            if room := min(taken.remaining, count):
                taken = await self._shared.take(shared_key, rate, room)
                owed -= room if taken.allowed else 0
            book.note(key, owed)
        unsettled = book.unsettled.get(key, 0) * book.slots.interval
        book.slots.fill(key, self._clock.seconds(), taken.reset_after + unsettled)

    def _in_force(self) -> _Book:
        """The book of the rate in force. With another rate counting begins anew: what was taken under the old one says
        nothing about the new one, and who relaxes a limit wants it relaxed now."""
        rate = self._rate()
        if rate is not self._book.rate:
            if rate == self._book.rate:
                self._book.rate = rate
            else:
                self._book = self._opened(rate)
        return self._book

    def _opened(self, rate: Rate) -> _Book:
        return _Book(rate, SlotTable(rate.limit, rate.per_seconds, self._clock.seconds()))

    def _refusal(self, key: str, wait: float, now: float) -> RateLimited:
        book = self._book
        hint = f"{self.name} {key!a:.80}: more than {book.rate}"
        _, reset_after = book.slots.left(key, now)
        failed("rate", limited=self.name, most=str(book.rate), retry_after_seconds=math.ceil(wait))
        return RateLimited(self._rule, hint, limit=book.rate.limit, retry_after=wait, reset_after=reset_after)


async def settle_for_ever(limits: Sequence[SettledLimit]) -> None:
    """Settle five times a second; cancel the task to end it."""
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_SETTLEMENTS)
        for limit in limits:
            await limit.settle()
