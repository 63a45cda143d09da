"""Whether the link of a mail still counts."""

from datetime import datetime
from typing import Protocol

from authcenter.core.errors import OAuthError, invalid_request
from authcenter.core.rules import Rule

_GONE = "This link is no longer valid. Ask for a new one."


class Link(Protocol):
    """What is kept of a link."""

    @property
    def expires_at(self) -> datetime: ...

    @property
    def spent_at(self) -> datetime | None: ...


def check_link(link: Link, now: datetime) -> None:
    """Raises ``OAuthError``: it was spent or ended, or has lapsed."""
    if link.spent_at is not None:
        raise link_gone(Rule.ACCOUNT_LINK_SPENT, f"at {link.spent_at.isoformat()}")
    if link.expires_at <= now:
        raise link_gone(Rule.ACCOUNT_LINK_EXPIRED, f"at {link.expires_at.isoformat()}")


def link_gone(rule: Rule, hint: str) -> OAuthError:
    """One wording for every cause."""
    return invalid_request(rule, _GONE, hint)
