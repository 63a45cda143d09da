"""Entries of status lists, written many at a time: tokens that are issued at once share a transaction."""

import asyncio
from collections.abc import Sequence
from contextvars import Context

from authcenter.core.errors import Conflict, StoreUnavailable
from authcenter.core.status import StatusEntry
from authcenter.stores.ports.status_lists import StatusListStore

_MOST_AT_ONCE = 500

_Waiting = tuple[StatusEntry, "asyncio.Future[None]"]


class StatusEntryWriter:
    """One transaction at a time; what arrives meanwhile goes into the next."""

    def __init__(self, store: StatusListStore) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, entry: StatusEntry) -> None:
        """Return once the entry is committed.

        Raises:
            StoreUnavailable: It was not, or it is unknown.
        """
        loop = asyncio.get_running_loop()
        written = loop.create_future()
        self._waiting.append((entry, written))
        if self._writing is None or self._writing.done():
            # In a context of its own: it writes for many requests.
            self._writing = loop.create_task(self._write_all(), context=Context())
        await written

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
            try:
                await self._store.record([entry for entry, _ in batch])
            except (StoreUnavailable, Conflict) as failure:
                _settle(batch, str(failure))
            except BaseException:
                # A defect, or the end of the process: it must not leave anybody waiting.
                _settle(batch + self._waiting, "the entries were not written")
                self._waiting = []
                raise
            else:
                _settle(batch, None)


def _settle(batch: Sequence[_Waiting], hint: str | None) -> None:
    for _, written in batch:
        if written.done():
            continue
        if hint is None:
            written.set_result(None)
        else:
            written.set_exception(StoreUnavailable(hint))
