"""Sessions as pages show them: in words by which a person recognises their own."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from authcenter.accounts.devices_in_words import device_in_words
from authcenter.core.session import Session
from authcenter.core.value import Value
from authcenter.http.pages.messages import Messages

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class SessionCard(Value, frozen=True):
    """One session.

    Attributes:
        active_at: ISO 8601; ``active``: in words.
        current: Whether it is the reader's own.
    """

    session_id: str
    device: str
    place: str
    active_at: str
    active: str
    since: str
    current: bool


def session_cards(
    sessions: Sequence[Session], messages: Messages, now: datetime, current: str = ""
) -> list[SessionCard]:
    """A card for each; the one with the id ``current`` comes first."""
    ordered = sorted(sessions, key=lambda session: session.session_id != current)
    return [_card(session, messages, now, current) for session in ordered]


def _card(session: Session, messages: Messages, now: datetime, current: str) -> SessionCard:
    return SessionCard(
        session_id=session.session_id,
        device=_device(session.user_agent, messages),
        place=messages("session.place", address=session.ip) if session.ip else "",
        active_at=session.last_active_at.isoformat(timespec="seconds"),
        active=_ago(now - session.last_active_at, messages),
        since=messages("session.since", date=session.created_at.date().isoformat()),
        current=session.session_id == current,
    )


def _device(user_agent: str, messages: Messages) -> str:
    told = device_in_words(user_agent)
    if told.browser and told.system:
        return messages("session.device", browser=told.browser, system=told.system)
    return told.browser or told.system or messages("session.unknown")


def _ago(past: timedelta, messages: Messages) -> str:
    if past < 2 * _MINUTE:
        return messages("session.now")
    if past < 2 * _HOUR:
        return messages("session.minutes", count=past // _MINUTE)
    if past < 2 * _DAY:
        return messages("session.hours", count=past // _HOUR)
    return messages("session.days", count=past // _DAY)
