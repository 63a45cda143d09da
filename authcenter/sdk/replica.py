"""What this process knows to be revoked, in little memory and without a round trip.

Digests lie in the bucket of their token's own expiry minute: a sorted array of short hashes and a small set of
newcomers, merged in at 1,000. A bucket is dropped whole once everything in it has lapsed.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Protocol

from authcenter.core.cut import Cut, CutKind, carried_by
from authcenter.core.digest import Digest
from authcenter.core.token import AccessToken

_NEWCOMERS = 1_000
_WORD_BITS = 64
_WORD = (1 << _WORD_BITS) - 1


class Bucket:
    """Short hashes as integers, sorted, 8 bytes each; those over 8 bytes in two words."""

    __slots__ = ("_high", "_low", "_newcomers")

    def __init__(self, width: int) -> None:
        self._high = array("Q")
        self._low = array("Q") if width * 8 > _WORD_BITS else None
        self._newcomers: set[int] = set()

    def __len__(self) -> int:
        return len(self._high) + len(self._newcomers)

    def add(self, short: int) -> None:
        self._newcomers.add(short)
        if len(self._newcomers) >= _NEWCOMERS:
            self.merge(())

    def merge(self, more: Iterable[int]) -> None:
        """Sort newcomers and ``more`` into the array."""
        new = {*self._newcomers, *more}
        ordered = sorted([*self._known(), *(short for short in new if not self._sorted_in(short))])
        if self._low is None:
            self._high = array("Q", ordered)
        else:
            self._high = array("Q", (short >> _WORD_BITS for short in ordered))
            self._low = array("Q", (short & _WORD for short in ordered))
        self._newcomers = set()

    def absorb(self, high: "array[int]", low: "array[int] | None") -> None:
        """Take arrays that are sorted already, at no cost where there is nothing yet."""
        if not len(self):
            self._high, self._low = high, low
        elif low is None:
            self.merge(high)
        else:
            self.merge(upper << _WORD_BITS | lower for upper, lower in zip(high, low, strict=True))

    def parts(self) -> "tuple[array[int], array[int] | None, tuple[int, ...]]":
        """The sorted array, in its one or two words, and the newcomers. Arrays are replaced, never changed."""
        return self._high, self._low, tuple(self._newcomers)

    def __contains__(self, short: int) -> bool:
        return short in self._newcomers or self._sorted_in(short)

    def _sorted_in(self, short: int) -> bool:
        if self._low is None:
            at = bisect_left(self._high, short)
            return at < len(self._high) and self._high[at] == short
        high, low = short >> _WORD_BITS, short & _WORD
        at = bisect_left(self._high, high)
        while at < len(self._high) and self._high[at] == high:
            if self._low[at] == low:
                return True
            at += 1
        return False

    def _known(self) -> Iterable[int]:
        if self._low is None:
            return self._high
        return (high << _WORD_BITS | low for high, low in zip(self._high, self._low, strict=True))


@dataclass(frozen=True, slots=True)
class KnownCut:
    """A cut. ``up_to`` in Unix seconds; infinite where it refuses whatever the ``iat``."""

    reason: str
    expires_at: datetime | None
    up_to: float


class Learnt(Protocol):
    """Is told of whatever a replica learns, once."""

    def token(self, minute: int, short: int) -> None:
        """A revoked token: the minute in which it expires (Unix seconds / 60), and its short hash."""
        ...

    def cut(self, kind: CutKind, value: str, known: KnownCut, *, lifted: bool) -> None:
        """A cut. ``lifted``: it refuses less than was known of it before."""
        ...


class RevocationReplica:
    """Answers whether a token is refused, from memory.

    Attributes:
        version: Rises whenever something is added; who remembers a verdict compares it.
        width: Bytes of a short hash.
        learnt: Told of what is added one by one; not of ``add_tokens`` and ``absorb``.
    """

    def __init__(self, short_hash_bytes: int, version: int = 0) -> None:
        self.width = short_hash_bytes
        self.learnt: Learnt | None = None
        self._buckets: dict[int, Bucket] = {}
        self._cuts: dict[CutKind, dict[str, KnownCut]] = {kind: {} for kind in CutKind}
        self.version = version

    def __len__(self) -> int:
        """How many entries there are, tokens and cuts."""
        return sum(len(bucket) for bucket in self._buckets.values()) + sum(len(cuts) for cuts in self._cuts.values())

    def refusal(self, token: AccessToken) -> str | None:
        """Why ``token`` is refused, or None."""
        if self.revoked(token):
            return f"token {token.jti} was revoked"
        return self.cut_reason(token.issued_at, carried_by(token))

    def revoked(self, token: AccessToken) -> bool:
        """Whether ``token`` was revoked by itself; cuts are not looked at."""
        bucket = self._buckets.get(token.expires_at // 60)
        return bucket is not None and self.short(token.digest) in bucket

    def holds(self, digest: Digest, expires_at: datetime) -> bool:
        bucket = self._buckets.get(minute_of(expires_at))
        return bucket is not None and self.short(digest) in bucket

    def has_cuts(self, kind: CutKind) -> bool:
        return bool(self._cuts[kind])

    def known_cut(self, kind: CutKind, value: str) -> KnownCut | None:
        return self._cuts[kind].get(value)

    def cuts(self) -> list[tuple[CutKind, str, KnownCut]]:
        """All of them, as they stand now."""
        return [(kind, value, known) for kind, cuts in self._cuts.items() for value, known in cuts.items()]

    def buckets(self) -> "Iterator[tuple[int, Bucket]]":
        """All of them, each by its minute."""
        yield from self._buckets.items()

    def cut_reason(self, issued_at: float, carried: Iterable[tuple[CutKind, str]]) -> str | None:
        """Why something issued at that Unix second and carrying these ids is refused, or None."""
        for kind, value in carried:
            if (cut := self._cuts[kind].get(value)) is not None and issued_at <= cut.up_to:
                return f"{kind} {value} was cut: {cut.reason}"
        return None

    def add_token(self, digest: Digest, expires_at: datetime) -> bool:
        """Whether that was news."""
        return self.add_short(minute_of(expires_at), self.short(digest))

    def add_short(self, minute: int, short: int) -> bool:
        """The same of a short hash alone."""
        bucket = self._buckets.setdefault(minute, Bucket(self.width))
        if short in bucket:
            return False
        bucket.add(short)
        self.version += 1
        if self.learnt is not None:
            self.learnt.token(minute, short)
        return True

    def absorb(self, minute: int, high: "array[int]", low: "array[int] | None") -> None:
        """Take the sorted short hashes of one minute."""
        self._buckets.setdefault(minute, Bucket(self.width)).absorb(high, low)
        self.version += 1

    def add_tokens(self, tokens: Iterable[tuple[Digest, datetime]]) -> None:
        """Add many at once, sorting each bucket once."""
        by_bucket: dict[int, list[int]] = {}
        for digest, expires_at in tokens:
            by_bucket.setdefault(minute_of(expires_at), []).append(self.short(digest))
        for minute, shorts in by_bucket.items():
            self._buckets.setdefault(minute, Bucket(self.width)).merge(shorts)
        self.version += 1

    def add_cut(self, cut: Cut) -> None:
        """Take a cut as the record has it now; it replaces what was known of the same kind and value."""
        up_to = inf if cut.up_to is None else cut.up_to.timestamp()
        self._keep_cut(cut.kind, cut.value, KnownCut(cut.reason, cut.expires_at, up_to))

    def hear_cut(self, cut: Cut) -> bool:
        """Take a cut from hearsay, which may come late and out of order: it may only refuse more than before.

        Returns:
            False where it would refuse less: then only the record can tell.
        """
        known = self._cuts[cut.kind].get(cut.value)
        up_to = inf if cut.up_to is None else cut.up_to.timestamp()
        if known is not None and up_to < known.up_to:
            return False
        expires_at = cut.expires_at if known is None else _longer(known.expires_at, cut.expires_at)
        self._keep_cut(cut.kind, cut.value, KnownCut(cut.reason, expires_at, up_to))
        return True

    def drop_lapsed(self, now: datetime) -> None:
        """Forget what refuses only tokens that have expired by themselves. ``now``: the present less the leeway."""
        for minute in [minute for minute in self._buckets if minute < minute_of(now)]:
            del self._buckets[minute]
        for cuts in self._cuts.values():
            for value in [value for value, cut in cuts.items() if cut.expires_at is not None and cut.expires_at < now]:
                del cuts[value]

    def _keep_cut(self, kind: CutKind, value: str, known: KnownCut) -> None:
        before = self._cuts[kind].get(value)
        if before != known:
            self._cuts[kind][value] = known
            self.version += 1
            if self.learnt is not None:
                self.learnt.cut(kind, value, known, lifted=before is not None and known.up_to < before.up_to)

    def short(self, digest: Digest) -> int:
        return int.from_bytes(digest[: self.width], "big")


def _longer(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)


def minute_of(instant: datetime) -> int:
    return int(instant.timestamp()) // 60
