"""The audit log at rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from authcenter.core.event import Event


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row of a writer's chain, as hashed.

    Attributes:
        occurred_at: ISO 8601, UTC, microseconds.
        context: Canonical JSON.
        salt: 16 random bytes, hexadecimal; personal fields enter the hash as SHA-256(salt, field).
        prev_hash, row_hash: SHA-256, hexadecimal; the first row of a chain follows 64 zeros.
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


class AuditLog(Protocol):
    """Append-only. Most events arrive as the consequences of a write and are committed with it."""

    async def append(self, event: Event) -> None:
        """Commit an event that has no write of its own."""
        ...

    async def rows(self) -> Sequence[AuditRow]:
        """All rows, by writer and sequence."""
        ...
