"""Instants, as documents have them and as people write them."""

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def instant(at: datetime) -> str:
    """RFC 3339, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def instant_before(text: str, now: datetime) -> datetime:
    """An instant as people write it: ISO 8601 (UTC where no zone is named), or how long before ``now``: ``90m``.

    Raises:
        ValueError: It is none.
    """
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!a:.40} is no instant: write 2026-03-01T12:00Z, 90m, 2h or 7d") from None
