"""The audit log at rest."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

from authcenter.core.cut import Consequences
from authcenter.core.event import Event


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row of a writer's chain, as hashed.

    Attributes:
        occurred_at: ISO 8601, UTC, microseconds.
        context: Canonical JSON.
        salt: 16 random bytes, hexadecimal; personal fields enter the hash as SHA-256 under salts derived of it.
        prev_hash, row_hash: SHA-256, hexadecimal; the first row of a chain follows 64 zeros.
        format: Which fields are personal; 1: rows from before a person could be erased.
        erased: Where a person was erased: canonical JSON of the digests of the fields that were emptied, and of the
            salts of those that stay; else empty.
        jti, family: Of the context, to look rows up by; the hash does not hold them twice.
    """

    occurred_at: str
    event: str
    actor: str
    client_id: str
    subject: str
    ip: str
    user_agent: str
    request_id: str
    context: str
    writer: str
    sequence: int
    salt: str
    prev_hash: str
    row_hash: str
    format: int = 1
    erased: str = ""
    jti: str = ""
    family: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """The context, read. Where somebody put none in its place: what is there, under ``unreadable``; whoever shows
        rows goes on, and verifying names it."""
        try:
            context = json.loads(self.context)
        except (ValueError, RecursionError):
            context = None
        return context if isinstance(context, dict) else {"unreadable": self.context}


_INTEGERS = frozenset({"sequence", "format"})


def read_row(document: Any) -> AuditRow:
    """A row as ``asdict`` has it. Raises ``TypeError``: it is none, or one of a version that has other fields."""
    row = AuditRow(**document)
    for one in fields(row):
        if type(getattr(row, one.name)) is not (int if one.name in _INTEGERS else str):
            raise TypeError(f"{one.name} of a row is of no such type")
    return row


@dataclass(frozen=True, slots=True)
class EmptiedRow:
    """A row as it is to read once a person has been erased from it.

    Attributes:
        erased_before: What the record must still say, for it to be written.
    """

    row: AuditRow
    erased_before: str


class AuditLog(Protocol):
    """Append-only. Most events arrive as the consequences of a write and are committed with it."""

    async def append(self, event: Event) -> None:
        """Commit an event that has no write of its own."""
        ...

    async def rows(self) -> Sequence[AuditRow]:
        """All rows, by writer and sequence."""
        ...

    async def rows_about(self, subject: str, most: int) -> Sequence[AuditRow]:
        """The newest rows whose actor or subject is ``subject``, the newest first."""
        ...

    async def empty(self, rows: Sequence[EmptiedRow], consequences: Consequences) -> bool:
        """Put emptied rows in the place of whole ones; False, and nothing kept: one was emptied meanwhile."""
        ...
