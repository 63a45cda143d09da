"""What operators type into the fields of the console, read."""

from datetime import datetime

from authcenter.core.errors import InvalidInput
from authcenter.core.form import Form
from authcenter.core.instants import instant_before

_LONGEST = 255


def asked(query: Form, name: str) -> str:
    """What was typed as ``name``: trimmed, cut, and nothing where no store could hold it."""
    typed = (query.get(name) or "").strip()[:_LONGEST]
    return typed if typed.isprintable() else ""


def instant_asked(query: Form, name: str, now: datetime) -> datetime | None:
    """The instant that was typed, where one was. Raises ``InvalidInput``."""
    typed = asked(query, name)
    try:
        return instant_before(typed, now) if typed else None
    except ValueError as problem:
        raise InvalidInput(f"{name}: {problem}") from problem
