"""What requests were checked for, kept for a while for ``authcenter explain``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

STRANGERS_SLOTS = 100_000
"""How many requests are remembered of those who did not prove who they are."""


@dataclass(frozen=True, slots=True)
class RequestTrace:
    """One request.

    Attributes:
        client_id: That it named; where ``slot`` is None it also proved it, or a token of it did.
        rule: That refused; empty: none did.
        hint: The rule's own words.
        checks: The checks in their order, as JSON (``core.checks.Checks``).
        slot: Its place in the ring of strangers' requests, where the next one with that number overwrites it.
    """

    request_id: str
    at: datetime
    method: str
    route: str
    status: int
    client_id: str
    ip: str
    user_agent: str
    rule: str
    hint: str
    checks: str
    expires_at: datetime
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Which requests; None or empty stands for any."""

    client_id: str = ""
    rule: str = ""
    ip: str = ""
    refused: bool = False
    since: datetime | None = None
    until: datetime | None = None


class RequestTraces(Protocol):
    """By request id, and by client and time."""

    async def keep(self, traces: Sequence[RequestTrace]) -> None:
        """Raises ``StoreUnavailable``: some may be kept."""
        ...

    async def get(self, request_id: str) -> RequestTrace | None: ...

    async def find(self, wanted: TraceFilter, most: int) -> Sequence[RequestTrace]:
        """The newest first."""
        ...
