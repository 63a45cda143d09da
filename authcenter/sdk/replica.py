"""What this process knows to be revoked, in little memory and without a round trip.

Digests lie in the bucket of their token's own expiry minute: a sorted array of short hashes and a small set of
newcomers, merged in at 1,000. A bucket is dropped whole once everything in it has lapsed.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import inf

from authcenter.core.cut import Cut, CutKind
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
class _Known:
    """A cut. ``up_to`` in Unix seconds; infinite where it refuses whatever the ``iat``."""

    reason: str
    expires_at: datetime | None
    up_to: float


class RevocationReplica:
    """Answers whether a token is refused, from memory.

    Attributes:
        version: Rises whenever something is added; who remembers a verdict compares it.
    """

    def __init__(self, short_hash_bytes: int, version: int = 0) -> None:
        self._width = short_hash_bytes
        self._buckets: dict[int, Bucket] = {}
        self._cuts: dict[CutKind, dict[str, _Known]] = {kind: {} for kind in CutKind}
        self.version = version

    def __len__(self) -> int:
        """How many entries there are, tokens and cuts."""
        return sum(len(bucket) for bucket in self._buckets.values()) + sum(len(cuts) for cuts in self._cuts.values())

    def refusal(self, token: AccessToken) -> str | None:
        """Why ``token`` is refused, or None."""
        bucket = self._buckets.get(token.expires_at // 60)
        if bucket is not None and self._short(token.digest) in bucket:
            return f"token {token.jti} was revoked"
        return self.cut_reason(
            token.issued_at,
            (
                (CutKind.FAMILY, token.family),
                (CutKind.JTI, token.jti),
                (CutKind.SUBJECT, token.subject),
                (CutKind.CLIENT, token.client_id),
                (CutKind.SESSION, token.session),
                (CutKind.KEY, token.kid),
                (CutKind.EVERYTHING, ""),
            ),
        )

    def cut_reason(self, issued_at: float, carried: Iterable[tuple[CutKind, str]]) -> str | None:
        """Why something issued at that Unix second and carrying these ids is refused, or None."""
        for kind, value in carried:
            if (cut := self._cuts[kind].get(value)) is not None and issued_at <= cut.up_to:
                return f"{kind} {value} was cut: {cut.reason}"
        return None

    def add_token(self, digest: Digest, expires_at: datetime) -> None:
        bucket = self._buckets.setdefault(_minute(expires_at), Bucket(self._width))
        short = self._short(digest)
        if short not in bucket:
            bucket.add(short)
            self.version += 1

    def add_tokens(self, tokens: Iterable[tuple[Digest, datetime]]) -> None:
        """Add many at once, sorting each bucket once."""
        by_bucket: dict[int, list[int]] = {}
        for digest, expires_at in tokens:
            by_bucket.setdefault(_minute(expires_at), []).append(self._short(digest))
        for minute, shorts in by_bucket.items():
            self._buckets.setdefault(minute, Bucket(self._width)).merge(shorts)
        self.version += 1

    def add_cut(self, cut: Cut) -> None:
        """Take a cut as the record has it now; it replaces what was known of the same kind and value."""
        up_to = inf if cut.up_to is None else cut.up_to.timestamp()
        self._keep_cut(cut.kind, cut.value, _Known(cut.reason, cut.expires_at, up_to))

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
        self._keep_cut(cut.kind, cut.value, _Known(cut.reason, expires_at, up_to))
        return True

    def drop_lapsed(self, now: datetime) -> None:
        """Forget what refuses only tokens that have expired by themselves. ``now``: the present less the leeway."""
        for minute in [minute for minute in self._buckets if minute < _minute(now)]:
            del self._buckets[minute]
        for cuts in self._cuts.values():
            for value in [value for value, cut in cuts.items() if cut.expires_at is not None and cut.expires_at < now]:
                del cuts[value]

    def _keep_cut(self, kind: CutKind, value: str, known: _Known) -> None:
        if self._cuts[kind].get(value) != known:
            self._cuts[kind][value] = known
            self.version += 1

    def _short(self, digest: Digest) -> int:
        return int.from_bytes(digest[: self._width], "big")


def _longer(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)


def _minute(instant: datetime) -> int:
    return int(instant.timestamp()) // 60
