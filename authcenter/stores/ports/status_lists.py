"""Status lists at rest: which place of which list belongs to which access token."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from authcenter.core.status import IndexBlock, StatusEntry, StatusList


class StatusListStore(Protocol):
    """Lists and their entries. What is refused is worked out from the record of revocations each time it is asked."""

    async def take(self, begins_at: datetime, lapses_at: datetime, count: int, size: int) -> IndexBlock:
        """Take ``count`` numbers of a list for that window, beginning one where none has room; nobody gets them again.

        Args:
            size: How many places a list has; a multiple of ``count``.

        Raises:
            StoreUnavailable: None was taken, or some are lost, which does no harm.
        """
        ...

    async def record(self, entries: Sequence[StatusEntry]) -> None:
        """Keep the entries, all or none.

        Raises:
            Conflict: A place is taken.
            StoreUnavailable: None was kept, or it is unknown.
        """
        ...

    async def lists(self) -> Sequence[StatusList]:
        """All lists that have not been evicted. Raises ``StoreUnavailable``."""
        ...

    async def refused(self, listed: StatusList) -> Sequence[int]:
        """The places whose tokens are revoked or cut, in any order, some perhaps twice. Raises ``StoreUnavailable``."""
        ...
