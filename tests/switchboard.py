"""Stores that a test can cut off, and whose use it can count."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from authcenter.core.errors import StoreUnavailable


class Switchboard:
    """Cuts stores off, and counts what they are asked."""

    def __init__(self) -> None:
        self.down = False
        self.asked: list[str] = []
        self.off: set[str] = set()
        """Calls that are switched off by themselves: ``outbox.add``."""
        self.held: dict[str, asyncio.Event] = {}
        """Calls that are answered when their event is set, not before."""

    def through(self, name: str, store: Any) -> Any:
        return _Switched(name, store, self)


class _Switched:
    """A store behind the switchboard."""

    def __init__(self, name: str, store: Any, board: Switchboard) -> None:
        self._name, self._store, self._board = name, store, board

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self._store, method)

        def call(*args: Any, **options: Any) -> Any:
            name = f"{self._name}.{method}"
            self._board.asked.append(name)
            if self._board.down or name in self._board.off:
                raise StoreUnavailable("switched off")
            answer = real(*args, **options)
            return _later(self._board.held[name], answer) if name in self._board.held else answer

        return call


async def _later(event: asyncio.Event, answer: Awaitable[Any]) -> Any:
    await event.wait()
    return await answer
