"""What the revocation feed says: a snapshot of the replica, and what was learnt after a cursor, signed.

A cursor holds on every instance. The one that gave it goes on from the position; any other from the instant up to which
the giver vouched, less an overlap, by its own journal. Who comes with a cursor that cannot be honoured is told so
(``reset``), never given a part.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Self

from authcenter.core.base64url import encode as base64url
from authcenter.core.clock import Clock
from authcenter.core.errors import RevocationsUnknown
from authcenter.keys.source import LiveKeyRing
from authcenter.sdk.feed_document import (
    DOCUMENT_TYPE,
    DocumentKind,
    Entries,
    HashedCut,
    TokenGroup,
    group_of,
    grouped,
    hashed_id,
    pack,
)
from authcenter.tokens.journal import Entry
from authcenter.tokens.revocation import Revocations

OVERLAP_SECONDS = 30.0
"""How far before a cursor of another instance the journal is told again: longer than any two clocks differ, and than
the record takes to tell what the stream of Redis did not."""

SNAPSHOT_SECONDS = 5.0
"""How long a snapshot is given out although more is known by now; the cursor in it says since when."""

_EPOCH_CHARACTERS = 12
_LONGEST_NUMBER = 16


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a follower has come.

    Attributes:
        width: Bytes of the short hashes that it was told in: instances in doubt about them do not mix.
        epoch, position: Of the journal that it was told from.
        as_of: Up to when that instance vouched to know all, in Unix milliseconds.
    """

    width: int
    epoch: str
    position: int
    as_of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``ValueError``: not what ``str`` writes."""
        parts = text.split(".")
        if len(parts) != 4:
            raise ValueError("no cursor")
        width, epoch, position, as_of = parts
        numbers = (width, position, as_of)
        if len(epoch) != _EPOCH_CHARACTERS or not epoch.isalnum() or not epoch.isascii():
            raise ValueError("no epoch")
        if not all(one.isascii() and one.isdecimal() and len(one) <= _LONGEST_NUMBER for one in numbers):
            raise ValueError("no position and instant")
        return cls(int(width), epoch, int(position), int(as_of))

    def __str__(self) -> str:
        return f"{self.width}.{self.epoch}.{self.position}.{self.as_of}"


@dataclass(frozen=True, slots=True)
class SignedEntries:
    """A document as it goes out.

    Attributes:
        cursor: Where its reader is then; after a reset, where he was.
        tag: Names the entries: the same in two snapshots that say the same.
    """

    kind: DocumentKind
    signed: str
    packed: bytes
    cursor: Cursor
    tag: str
    news: bool


@dataclass(frozen=True, slots=True)
class _PackedReplica:
    """A snapshot's entries, and when they were that."""

    packed: bytes
    tag: str
    epoch: str
    position: int
    as_of: int
    width: int
    made_at: float


class RevocationFeed:
    """Makes the documents, each once for all who stand at the same cursor.

    Attributes:
        ended: Whether this process is leaving and waits for nothing any more.
    """

    def __init__(
        self, revocations: Revocations, keys: LiveKeyRing, algorithm: Callable[[], str], issuer: str, clock: Clock
    ) -> None:
        self._revocations, self._keys, self._algorithm = revocations, keys, algorithm
        self._issuer, self._clock = issuer, clock
        self._packed: _PackedReplica | None = None
        self._packing = asyncio.Lock()
        self._made: dict[Cursor, SignedEntries] = {}
        self._made_of: Cursor | None = None
        self.ended = False

    def end(self) -> None:
        """Let all who wait go."""
        self.ended = True
        self._revocations.journal.wake()

    async def grown(self, cursor: Cursor, seconds: float) -> None:
        """Wait until there is more than a document with ``cursor`` told, the feed ends, or ``seconds`` are over."""
        if not self.ended:
            await self._revocations.journal.grown(cursor.epoch, cursor.position, seconds)

    def here(self) -> Cursor:
        """The end of this instance's journal.

        Raises:
            RevocationsUnknown: This process has not loaded them yet.
        """
        journal = self._revocations.journal
        return Cursor(journal.width, journal.epoch, journal.position, int(self._as_of() * 1000))

    def after(self, cursor: Cursor) -> SignedEntries:
        """What was learnt after ``cursor``.

        Raises:
            RevocationsUnknown: This process has not loaded them yet.
            StoreUnavailable: There is no key to sign with.
        """
        here, journal = self.here(), self._revocations.journal
        if here != self._made_of:
            self._made.clear()
            self._made_of = here
        if (made := self._made.get(cursor)) is not None:
            return made
        entries = self._entries_after(cursor)
        if entries is None:
            made = self._signed(DocumentKind.RESET, cursor, here.as_of, b"", journal.width, cursor)
        else:
            packed = pack(journal.width, _entries(journal.width, entries)) if entries else b""
            made = self._signed(DocumentKind.DELTA, here, here.as_of, packed, journal.width, cursor)
        self._made[cursor] = made
        return made

    async def snapshot(self) -> SignedEntries:
        """All that this instance knows.

        Raises:
            RevocationsUnknown: This process has not loaded them yet.
            StoreUnavailable: There is no key to sign with.
        """
        async with self._packing:
            here = self.here()
            known = self._packed
            unchanged = known is not None and (known.epoch, known.position) == (here.epoch, here.position)
            young = known is not None and self._clock.seconds() - known.made_at < SNAPSHOT_SECONDS
            if known is None or known.epoch != here.epoch or not (unchanged or young):
                known = self._packed = await self._pack(here)
            elif unchanged:
                # It says the same as before, and this process vouches for it anew.
                known = self._packed = replace(known, as_of=here.as_of)
        at = Cursor(known.width, known.epoch, known.position, known.as_of)
        return self._signed(DocumentKind.SNAPSHOT, at, at.as_of, known.packed, known.width, None, known.tag)

    async def _pack(self, here: Cursor) -> _PackedReplica:
        replica, made_at = self._revocations.replica, self._clock.seconds()
        # What is taken here does not change any more: arrays are replaced, never written.
        buckets = [(minute, bucket.parts()) for minute, bucket in replica.buckets()]
        cuts = replica.cuts()

        def work() -> tuple[bytes, str]:
            hashed = [
                HashedCut(
                    kind,
                    hashed_id(kind, value),
                    known.up_to,
                    inf if known.expires_at is None else known.expires_at.timestamp(),
                )
                for kind, value, known in cuts
            ]
            groups: list[TokenGroup] = []
            for minute, (high, low, newcomers) in buckets:
                groups += [TokenGroup(minute, high, low)] if high else []
                groups += [group_of(replica.width, minute, newcomers)] if newcomers else []
            packed = pack(replica.width, Entries(groups, hashed))
            return packed, _tag(packed)

        packed, tag = await asyncio.to_thread(work)
        return _PackedReplica(packed, tag, here.epoch, here.position, here.as_of, replica.width, made_at)

    def _entries_after(self, cursor: Cursor) -> Sequence[Entry] | None:
        journal = self._revocations.journal
        if cursor.width != journal.width:
            return None
        if cursor.epoch == journal.epoch:
            return journal.after(cursor.position)
        as_of = cursor.as_of / 1000
        if as_of > self._clock.seconds() + OVERLAP_SECONDS:
            return None
        return journal.learnt_after(as_of - OVERLAP_SECONDS)

    def _as_of(self) -> float:
        if not self._revocations.loaded:
            raise RevocationsUnknown("revocations have not been loaded yet")
        return self._clock.seconds() - self._revocations.age

    def _signed(
        self,
        kind: DocumentKind,
        cursor: Cursor,
        as_of: int,
        packed: bytes,
        width: int,
        after: Cursor | None,
        tag: str | None = None,
    ) -> SignedEntries:
        tag = tag or _tag(packed)
        claims: dict[str, object] = {
            "iss": self._issuer,
            "iat": int(self._clock.seconds() * 1000) / 1000,
            "as_of": as_of / 1000,
            "kind": kind,
            "cursor": str(cursor),
            "short_hash_bytes": width,
            "sha256": tag,
        }
        if after is not None:
            claims["after"] = str(after)
        key = self._keys.ring.signer(self._algorithm())
        return SignedEntries(kind, key.jwt(claims, DOCUMENT_TYPE), packed, cursor, tag, news=bool(packed))


def _entries(width: int, entries: Iterable[Entry]) -> Entries:
    tokens: list[tuple[int, int]] = []
    cuts: list[HashedCut] = []
    for entry in entries:
        if isinstance(entry, HashedCut):
            cuts.append(entry)
        else:
            tokens.append(entry)
    return Entries(grouped(width, tokens), cuts)


def _tag(packed: bytes) -> str:
    return base64url(hashlib.sha256(packed).digest())
