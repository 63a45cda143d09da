"""How a revocation reaches the other instances in milliseconds. The record stays what decides: this is the fast path.

Every method may raise ``SharedStateUnavailable``: then the others learn it from the record, by polling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

from authcenter.core.cut import Cut
from authcenter.core.digest import Digest

Revoked = tuple[Digest, datetime]
"""A revoked token: its digest and its expiry."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One unbroken life of what Redis knows. Without it, or with another one, Redis has forgotten something.

    Attributes:
        width: Bytes of the short hashes under which Redis knows tokens.
        mark: Tells one epoch from every other.
    """

    width: int
    mark: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what ``str`` wrote; None where something else is there."""
        width, _, mark = text.partition(".")
        return cls(int(width), mark) if width.isascii() and width.isdecimal() and mark else None

    def __str__(self) -> str:
        return f"{self.width}.{self.mark}"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the stream of announcements, in one epoch."""

    epoch: Epoch
    last_id: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What was announced since the last position."""

    position: Position
    tokens: Sequence[Revoked]
    cuts: Sequence[Cut]


class StreamLost(Exception):
    """The stream cannot be followed from here: another epoch, or entries that nobody has read are gone."""


class RevocationSpread(Protocol):
    """Announces, and hears what was announced."""

    async def announce(self, tokens: Sequence[Revoked], cuts: Sequence[Cut]) -> None:
        """Tell everybody who follows, and let ``look_up`` find the tokens."""
        ...

    async def position(self) -> Position | None:
        """The end of the stream; None where Redis has no epoch, which means that it knows too little."""
        ...

    async def follow(self, position: Position) -> Heard:
        """Wait for what is announced after ``position``, for half a second at most.

        Raises:
            StreamLost: Everything has to be read from the record again.
        """
        ...

    async def look_up(self, digest: Digest, epoch: Epoch) -> bool:
        """Whether Redis knows this token to be revoked.

        Raises:
            SharedStateUnavailable: Also where Redis is not in that epoch: it may have forgotten the answer.
        """
        ...


class SpreadRepair(Protocol):
    """Teaches an emptied Redis everything that is alive. One instance at a time."""

    async def position(self) -> Position | None:
        """See ``RevocationSpread``."""
        ...

    async def claim(self, holder: str, lasts: timedelta) -> bool:
        """Take the right to repair, or keep it where ``holder`` has it already."""
        ...

    async def teach(self, tokens: Sequence[Revoked], width: int) -> None:
        """Let ``look_up`` find these tokens by short hashes of that width. Nobody who follows is told."""
        ...

    async def begin(self, epoch: Epoch) -> None:
        """Declare that Redis knows everything: whoever follows loads from the record and goes on from here."""
        ...

    async def give_up(self, holder: str) -> None:
        """Let somebody else repair."""
        ...
