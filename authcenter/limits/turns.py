"""Who is trying a password at this moment, and who waits because of that."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from authcenter.core.errors import Overloaded

MOST_WAITING = 32
"""By key. Beyond that the process has more logins than it can hash anyway."""


@dataclass(slots=True)
class _Room:
    inside: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class Turns:
    """Attempts under way in this process, by key.

    A slot that is taken may have been used up by a failure, or be in the hands of somebody whose password is being
    hashed and who will give it back: twenty people who sign in at one moment behind one address are no attack. So
    whoever finds no slot while others are inside waits for one of them to leave, and asks again.
    """

    _rooms: dict[str, _Room] = field(default_factory=dict)

    def inside(self, key: str) -> bool:
        return key in self._rooms

    def count(self, key: str) -> int:
        """How many are inside."""
        return self._rooms[key].inside if key in self._rooms else 0

    def enter(self, key: str) -> None:
        self._rooms.setdefault(key, _Room()).inside += 1

    def leave(self, key: str) -> None:
        """Wake one of those who wait; after the last one inside, all."""
        room = self._rooms[key]
        room.inside -= 1
        if not room.inside:
            del self._rooms[key]
        while room.waiting:
            waiter = room.waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                if room.inside:
                    return

    async def wait(self, key: str) -> None:
        """Wait until somebody has left.

        Raises:
            Overloaded: Too many wait already.
        """
        room = self._rooms.get(key)
        if room is None:
            return
        if len(room.waiting) >= MOST_WAITING:
            raise Overloaded("too many logins at once wait for a slot of their limit")
        waiter = asyncio.get_running_loop().create_future()
        room.waiting.append(waiter)
        await waiter
