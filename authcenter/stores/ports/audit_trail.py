"""The audit log as whoever proves it reads it: rows as they are, heads, and the checkpoints over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from authcenter.stores.ports.audit import AuditRow


@dataclass(frozen=True, slots=True)
class Head:
    """The newest row of one writer's chain."""

    sequence: int
    row_hash: str


Heads = Mapping[str, Head]
"""By writer."""

_LARGEST = 2**63 - 1


def read_heads(document: Any) -> Heads:
    """Heads of ``{writer: [sequence, row_hash]}``. Raises ``ValueError``: it is none, or no row has such a number."""
    match document:
        case dict():
            return {writer: _read_head(value) for writer, value in document.items()}
    raise ValueError("no object of heads")


def _read_head(value: Any) -> Head:
    match value:
        case [int(sequence), str(row_hash)] if type(sequence) is int and 0 <= sequence <= _LARGEST:
            return Head(sequence, row_hash)
    raise ValueError("no head")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement of how far the chains had come.

    Attributes:
        number: Counts from 1, without gaps.
        at: ISO 8601, UTC, microseconds.
        heads: Those that moved since the checkpoint before; of a complete one all there are.
        archived: Where the rows that remain in the table begin: the last row of each writer that an archive has taken.
        complete: Whether it stands by itself: those before it are in the archive that it closes.
        prev_hash: SHA-256 of the checkpoint before, hexadecimal; 64 zeros before the first.
        key: Names the public key that verifies it.
        signature: Ed25519, base64url.
    """

    number: int
    at: str
    heads: Heads
    archived: Heads
    complete: bool
    prev_hash: str
    key: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows; an empty field stands for any.

    Attributes:
        event: The name of an event, or its first part with a dot behind it (``user.``).
        person: Actor or subject.
        since, until: ISO 8601, UTC; ``until`` itself is no longer part of it.
        jti: Names the token that was issued.
    """

    event: str = ""
    client_id: str = ""
    person: str = ""
    request_id: str = ""
    family: str = ""
    jti: str = ""
    ip: str = ""
    since: str = ""
    until: str = ""


EVERYTHING = AuditFilter()


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, the newest first.

    Attributes:
        older: Where the next page begins; None: there is none.
    """

    rows: Sequence[AuditRow] = field(default_factory=tuple)
    older: tuple[str, str, int] | None = None


class AuditTrail(Protocol):
    """The log at rest, in order, and what proves it."""

    async def append(self, rows: Sequence[AuditRow]) -> None:
        """Keep rows of one writer, in their order. What is there already stays: to ask twice does no harm.

        Raises:
            StoreUnavailable: Some of it, all or nothing was kept.
        """
        ...

    async def chain(self, writer: str, after: int, most: int) -> Sequence[AuditRow]:
        """One writer's rows by sequence, those behind ``after``."""
        ...

    async def find(self, wanted: AuditFilter, most: int, older: tuple[str, str, int] | None = None) -> Page:
        """The newest rows first."""
        ...

    async def writers(self) -> Sequence[str]:
        """All that have rows."""
        ...

    async def heads(self) -> Heads:
        """How far each writer says it has come."""
        ...

    async def moved_heads(self) -> Heads:
        """Those beyond the last checkpoint."""
        ...

    async def checkpointed(self) -> Mapping[str, int]:
        """Up to which row each writer counts as being under a checkpoint."""
        ...

    async def last_checkpoint(self) -> Checkpoint | None: ...

    async def checkpoints(self, after: int, most: int) -> Sequence[Checkpoint]:
        """By number, those behind ``after``."""
        ...

    async def add_checkpoint(self, checkpoint: Checkpoint) -> bool:
        """Keep it; False where its number is taken."""
        ...

    async def ended_before(self, instant: str) -> Heads:
        """Of each writer the last row before the first one that is not older than ``instant``."""
        ...

    async def remove_archived(self, checkpoint: Checkpoint) -> bool:
        """Keep a complete checkpoint and delete what the archive it closes has taken: the rows up to ``archived`` and
        the checkpoints before it. False, and nothing is done, where its number is taken by another one; where it is
        kept already, the rest goes.

        Raises:
            StoreUnavailable: Nothing, some or all of it was done.
        """
        ...
