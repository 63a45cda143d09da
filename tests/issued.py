"""What is written of tokens and events that were recorded together."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from authcenter.audit.issued_together import Dated, OwnToken, Shared, Unwritten
from authcenter.core.event import Event


def together(recorded: Iterable[tuple[datetime, Event | tuple[Shared, OwnToken]]]) -> Sequence[Dated]:
    """As the audit log writes it."""
    waiting = Unwritten()
    for at, one in recorded:
        if isinstance(one, Event):
            waiting.event(lambda event=one: event, at)  # type: ignore[misc]
        else:
            waiting.token(*one, at)
    return [told() for told in waiting.rows]
