"""Instants in queries and documents of the admin API."""

from datetime import datetime

from authcenter.core.errors import InvalidInput
from authcenter.core.instants import instant_before


def instant_of(name: str, text: str, now: datetime) -> datetime | None:
    """RFC 3339, or how long ago (``90m``, ``2h``, ``7d``); None: empty. Raises ``InvalidInput``."""
    if not text:
        return None
    try:
        return instant_before(text, now)
    except ValueError as problem:
        raise InvalidInput(f"{name}: {problem}") from problem


def iso_instant_of(name: str, text: str, now: datetime) -> str:
    """As the audit log compares it: ISO 8601, UTC, microseconds; empty: empty. Raises ``InvalidInput``."""
    at = instant_of(name, text, now)
    return at.isoformat(timespec="microseconds") if at is not None else ""
