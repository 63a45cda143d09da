"""What this process learnt of revocations lately, in the order in which it did: what the feed tells from."""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from itertools import islice
from math import inf

from authcenter.core.clock import Clock
from authcenter.core.cut import CutKind
from authcenter.sdk.feed_document import HashedCut, hashed_id
from authcenter.sdk.replica import KnownCut, Learnt

_MOST_ENTRIES = 50_000

Entry = tuple[int, int] | HashedCut
"""A token, by the minute of its expiry and its short hash; or a cut."""


class RevocationJournal(Learnt):
    """The newest entries, each with the time at which it was learnt.

    Attributes:
        epoch: Tells this journal from every other, of this process or of another.
        width: Bytes of the short hashes.
        covers_from: What was committed after this instant (Unix seconds) is in the journal.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: deque[tuple[float, Entry]] = deque()
        self._dropped, self._dropped_at = 0, -inf
        self._changed = asyncio.Event()
        self.width = 0
        self.epoch = secrets.token_hex(6)
        self.covers_from = inf

    @property
    def position(self) -> int:
        """How many entries there have ever been in this epoch."""
        return self._dropped + len(self._entries)

    def restart(self, width: int) -> None:
        """Begin a new epoch, which covers nothing yet."""
        self._entries.clear()
        self._dropped, self.width, self.covers_from = 0, width, inf
        self.epoch = secrets.token_hex(6)
        self.wake()

    def cover(self, at: float) -> None:
        """All that was committed after ``at`` is in the journal, but for what has been dropped since it began."""
        self.covers_from = self._dropped_at if self._dropped else at

    def token(self, minute: int, short: int) -> None:
        self._append((minute, short))

    def cut(self, kind: CutKind, value: str, known: KnownCut, *, lifted: bool) -> None:
        expires_at = inf if known.expires_at is None else known.expires_at.timestamp()
        self._append(HashedCut(kind, hashed_id(kind, value), known.up_to, expires_at, lifted))

    def after(self, position: int) -> Sequence[Entry] | None:
        """The entries after a position of this epoch; None where they are not all there any more."""
        if not self._dropped <= position <= self.position:
            return None
        return [entry for _, entry in islice(self._entries, position - self._dropped, None)]

    def learnt_after(self, at: float) -> Sequence[Entry] | None:
        """The entries learnt after an instant; None where it lies before what the journal covers."""
        if at < self.covers_from:
            return None
        return [entry for learnt_at, entry in self._entries if learnt_at > at]

    async def grown(self, epoch: str, position: int, seconds: float) -> None:
        """Wait until there is something after ``position``, somebody wakes all who wait, or ``seconds`` are over."""
        if (epoch, position) != (self.epoch, self.position):
            return
        changed = self._changed
        # Not wait_for: a timeout is nothing unusual here, and its exception would cost more than the rest.
        waiting = asyncio.ensure_future(changed.wait())
        try:
            await asyncio.wait((waiting,), timeout=seconds)
        finally:
            waiting.cancel()

    def wake(self) -> None:
        """Let all who wait look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _append(self, entry: Entry) -> None:
        now = self._clock.seconds()
        # A clock that was set back must not put newer entries before older ones.
        at = max(now, self._entries[-1][0]) if self._entries else now
        self._entries.append((at, entry))
        if len(self._entries) > _MOST_ENTRIES:
            self._dropped_at = self._entries.popleft()[0]
            self._dropped += 1
            # An epoch that covers nothing yet stays so.
            self.covers_from = max(self.covers_from, self._dropped_at)
        self.wake()
