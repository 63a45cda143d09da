"""Instants, as documents have them."""

from datetime import UTC, datetime


def instant(at: datetime) -> str:
    """RFC 3339, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
