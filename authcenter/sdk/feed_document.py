"""What a document of the revocation feed is made of, on both sides of the wire.

A document is a JWS (RFC 7515) that says what it is and vouches, by SHA-256, for the packed entries beside it. They are
not in its payload: base64url of base64url would make eight bytes fourteen, and a million entries are sent at once.
Ids go out hashed: nobody learns of a subject or a family that he does not know already.
"""

import hashlib
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from authcenter.core.cut import CutKind

DOCUMENT_TYPE = "authcenter-revocations+jwt"
CONTENT_TYPE = "application/authcenter-revocations"
EVENT_STREAM = "text/event-stream"
PATH = "/oauth/revocations"

TICK_SECONDS = 2.0
"""How often a stream says how things stand although there is nothing new."""

_COUNT = struct.Struct(">I")
_GROUP = struct.Struct(">II")
_CUT = struct.Struct(">BB16sdd")
# On the wire a kind is its place in this list: new ones come last.
_KINDS = (
    CutKind.JTI,
    CutKind.FAMILY,
    CutKind.SESSION,
    CutKind.KEY,
    CutKind.SUBJECT,
    CutKind.CLIENT,
    CutKind.EVERYTHING,
)
_LIFTED = 1
_LAST_SECOND = 253_402_300_799
"""Of the year 9999: later instants are infinitely late."""

_WORD_BYTES = 8
_WORD = (1 << _WORD_BYTES * 8) - 1


class DocumentKind(StrEnum):
    """What a document is. ``reset``: the cursor says nothing any more, take the snapshot."""

    SNAPSHOT = "snapshot"
    DELTA = "delta"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class TokenGroup:
    """Short hashes of tokens that expire in one minute (Unix seconds / 60), sorted.

    Attributes:
        high, low: Each hash in one word, or those over 8 bytes in two.
    """

    minute: int
    high: "array[int]"
    low: "array[int] | None" = None


@dataclass(frozen=True, slots=True)
class HashedCut:
    """A cut whose id is hashed.

    Attributes:
        up_to, expires_at: Unix seconds; infinite: whatever the ``iat``, and while it stands.
        lifted: It refuses less than before, and takes the place of what was known.
    """

    kind: CutKind
    hashed: bytes
    up_to: float
    expires_at: float
    lifted: bool = False


@dataclass(frozen=True, slots=True)
class Entries:
    """What a document tells."""

    tokens: Sequence[TokenGroup] = ()
    cuts: Sequence[HashedCut] = ()

    def __len__(self) -> int:
        return sum(len(group.high) for group in self.tokens) + len(self.cuts)


def hashed_id(kind: CutKind, value: str) -> bytes:
    """What stands for an id on the wire: 16 bytes of SHA-256."""
    return hashlib.sha256(f"{kind}\0{value}".encode()).digest()[:16]


def grouped(width: int, tokens: Iterable[tuple[int, int]]) -> list[TokenGroup]:
    """Groups of tokens, each given by its minute and short hash."""
    by_minute: dict[int, set[int]] = {}
    for minute, short in tokens:
        by_minute.setdefault(minute, set()).add(short)
    return [group_of(width, minute, shorts) for minute, shorts in by_minute.items()]


def group_of(width: int, minute: int, shorts: Iterable[int]) -> TokenGroup:
    ordered = sorted(shorts)
    if width <= _WORD_BYTES:
        return TokenGroup(minute, array("Q", ordered))
    high = array("Q", (short >> _WORD_BYTES * 8 for short in ordered))
    return TokenGroup(minute, high, array("Q", (short & _WORD for short in ordered)))


def shorts_of(group: TokenGroup) -> Iterator[int]:
    if group.low is None:
        return iter(group.high)
    return (high << _WORD_BYTES * 8 | low for high, low in zip(group.high, group.low, strict=True))


def pack(width: int, entries: Entries) -> bytes:
    """Entries in network byte order: groups (minute, count, hashes), then cuts."""
    parts = [_COUNT.pack(len(entries.tokens))]
    for group in entries.tokens:
        parts.append(_GROUP.pack(group.minute, len(group.high)))
        parts.append(_hashes(width, group))
    parts.append(_COUNT.pack(len(entries.cuts)))
    for cut in entries.cuts:
        flags = _LIFTED if cut.lifted else 0
        parts.append(_CUT.pack(_KINDS.index(cut.kind), flags, cut.hashed, cut.up_to, cut.expires_at))
    return b"".join(parts)


def unpack(width: int, packed: bytes) -> Entries:
    """Entries as ``pack`` wrote them.

    Raises:
        ValueError: Something else.
    """
    view = memoryview(packed)
    try:
        (groups,), at = _COUNT.unpack_from(view), _COUNT.size
        tokens = []
        for _ in range(groups):
            minute, count = _GROUP.unpack_from(view, at)
            at += _GROUP.size
            hashes = view[at : at + count * width]
            if len(hashes) != count * width:
                raise ValueError("entries are missing")
            tokens.append(_group(width, minute, hashes))
            at += count * width
        (count,), at = _COUNT.unpack_from(view, at), at + _COUNT.size
        if len(view) - at != count * _CUT.size:
            raise ValueError("the length is another")
        cuts = [
            HashedCut(_KINDS[kind], hashed, up_to, expires_at, bool(flags & _LIFTED))
            for kind, flags, hashed, up_to, expires_at in _CUT.iter_unpack(view[at:])
        ]
    except (struct.error, IndexError) as problem:
        raise ValueError(f"not packed entries: {problem}") from problem
    if not all(_is_instant(cut.up_to) and _is_instant(cut.expires_at) for cut in cuts):
        raise ValueError("entries of no time")
    return Entries(tokens, cuts)


def _is_instant(seconds: float) -> bool:
    return 0 <= seconds <= _LAST_SECOND or seconds == inf


def _hashes(width: int, group: TokenGroup) -> bytes:
    high = _big_endian(group.high)
    if group.low is None:
        return _columns([(high, width)], len(group.high))
    return _columns([(high, width - _WORD_BYTES), (_big_endian(group.low), _WORD_BYTES)], len(group.high))


def _columns(words: Sequence[tuple[bytes, int]], count: int) -> bytes:
    """The last bytes of each word side by side: copied by column, at the price of a byte and not of a number."""
    if words[0][1] == _WORD_BYTES and len(words) == 1:
        return words[0][0]
    width = sum(of_it for _, of_it in words)
    packed = bytearray(width * count)
    column = 0
    for word, of_it in words:
        for byte in range(_WORD_BYTES - of_it, _WORD_BYTES):
            packed[column::width] = word[byte::_WORD_BYTES]
            column += 1
    return bytes(packed)


def _group(width: int, minute: int, hashes: memoryview) -> TokenGroup:
    if width == _WORD_BYTES:
        return TokenGroup(minute, _words(hashes.tobytes()))
    data, count = hashes.tobytes(), len(hashes) // width
    of_high = width if width < _WORD_BYTES else width - _WORD_BYTES
    high = _word_column(data, width, 0, of_high, count)
    low = None if width < _WORD_BYTES else _word_column(data, width, of_high, _WORD_BYTES, count)
    return TokenGroup(minute, high, low)


def _word_column(data: bytes, width: int, start: int, length: int, count: int) -> "array[int]":
    words = bytearray(_WORD_BYTES * count)
    for byte in range(length):
        words[_WORD_BYTES - length + byte :: _WORD_BYTES] = data[start + byte :: width]
    return _words(bytes(words))


def _words(data: bytes) -> "array[int]":
    words = array("Q", data)
    if sys.byteorder == "little":
        words.byteswap()
    return words


def _big_endian(words: "array[int]") -> bytes:
    if sys.byteorder == "big":
        return words.tobytes()
    swapped = array("Q", words)
    swapped.byteswap()
    return swapped.tobytes()
