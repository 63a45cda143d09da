"""Writers that go one at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from authcenter.core.errors import StoreUnavailable


class Turn:
    """A queue of writers. Who waits behind one that the database did not answer is refused together with it.

    Waiting out the same silence one after the other, the tenth in the queue would be refused ten time limits late.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._silences = 0

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Hold the turn while the block runs.

        Raises:
            StoreUnavailable: A writer before this one met with it; the block was not run.
        """
        silences = self._silences
        async with self._lock:
            if self._silences != silences:
                raise StoreUnavailable("database: it did not answer the write before this one")
            try:
                yield
            except StoreUnavailable:
                self._silences += 1
                raise
