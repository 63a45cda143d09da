"""Places in status lists, taken in blocks so that handing one out costs no round trip.

Every list has a random key under which its numbers are permuted over all of its places (draft-ietf-oauth-status-list
§12 asks for that): a place tells neither when its token was issued nor how many there are.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import UTC, datetime
from hashlib import blake2b

from authcenter.core.clock import Clock
from authcenter.core.errors import Unavailable
from authcenter.core.status import IndexBlock
from authcenter.stores.ports.status_lists import StatusListStore

WINDOW_SECONDS = 3600
"""Tokens that expire within the same hour share lists, which are dropped together."""
PLACES = 1 << 16
"""Of each list: 8 KiB of bits. Larger ones hide more tokens among each other, and take longer to work out: this many
stay well within the time limit of a statement."""
BLOCK_PLACES = 1024
_FETCH_BELOW = BLOCK_PLACES // 2
_HALF_BITS = PLACES.bit_length() // 2
_HALF = (1 << _HALF_BITS) - 1
_ROUNDS = 6

Place = tuple[str, int]
"""A list's id and a place in it."""


def place_of(number: int, key: bytes) -> int:
    """The place that a number of a list stands for: a Feistel network, so no two numbers share one."""
    high, low = number >> _HALF_BITS, number & _HALF
    for turn in range(_ROUNDS):
        drawn = blake2b(bytes((turn, low)), digest_size=1, key=key).digest()
        high, low = low, high ^ drawn[0]
    return high << _HALF_BITS | low


class StatusPlaces:
    """The blocks of this process."""

    def __init__(self, store: StatusListStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._windows: dict[int, _Window] = {}

    async def take(self, expires_at: int) -> Place:
        """A place that nobody else gets, for a token that expires at that Unix second.

        Raises:
            StoreUnavailable: There is none at hand, nor to be had.
        """
        begins_at = expires_at - expires_at % WINDOW_SECONDS
        window = self._windows.get(begins_at)
        if window is None:
            self._forget_past()
            window = self._windows[begins_at] = _Window(lambda: self._fetch(begins_at))
        return await window.take()

    def _forget_past(self) -> None:
        now = self._clock.seconds()
        for begins_at in [begins_at for begins_at in self._windows if begins_at + WINDOW_SECONDS <= now]:
            del self._windows[begins_at]

    async def _fetch(self, begins_at: int) -> IndexBlock:
        begins, lapses = (datetime.fromtimestamp(at, UTC) for at in (begins_at, begins_at + WINDOW_SECONDS))
        return await self._store.take(begins, lapses, BLOCK_PLACES, PLACES)


class _Window:
    """What this process holds of the lists of one window. The next block is fetched while this one lasts."""

    __slots__ = ("_blocks", "_fetch", "_fetching", "_left")

    def __init__(self, fetch: Callable[[], Coroutine[None, None, IndexBlock]]) -> None:
        self._fetch = fetch
        self._fetching: asyncio.Task[None] | None = None
        self._blocks: deque[tuple[IndexBlock, int]] = deque()
        self._left = 0

    async def take(self) -> Place:
        while not self._blocks:
            # The flight is everybody's: who leaves does not take it along.
            await asyncio.shield(self._flight())
        block, given = self._blocks.popleft()
        if given + 1 < block.count:
            self._blocks.appendleft((block, given + 1))
        self._left -= 1
        if self._left < _FETCH_BELOW:
            self._flight()
        return block.list_id, place_of(block.first + given, block.key)

    def _flight(self) -> "asyncio.Task[None]":
        if self._fetching is None or self._fetching.done():
            # In a context of its own: what it logs belongs to no request.
            self._fetching = asyncio.get_running_loop().create_task(self._add_block(), context=Context())
            self._fetching.add_done_callback(_note_failure)
        return self._fetching

    async def _add_block(self) -> None:
        block = await self._fetch()
        self._blocks.append((block, 0))
        self._left += block.count


def _note_failure(flight: "asyncio.Task[None]") -> None:
    """Nobody may be waiting for it: whoever finds no place left asks again, and is told."""
    if not flight.cancelled() and not isinstance(flight.exception(), Unavailable | None):
        flight.result()
