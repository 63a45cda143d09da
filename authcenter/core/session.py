"""Sessions: signed-in browsers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authcenter.core.ids import SessionId, Subject


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. Its cookie is another secret: the ``session_id`` is told to clients as ``sid``.

    Attributes:
        auth_time: When the person last proved who they are; whole seconds.
        acr: What that proof amounts to; ``amr``: the methods of RFC 8176 it was made by.
        user_agent: As the browser named itself at the sign-in.
        last_active_at: Written at most once a minute.
        expires_at: The end that no activity moves.
    """

    session_id: SessionId
    subject: Subject
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    user_agent: str
    ip: str
    created_at: datetime
    last_active_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    @property
    def sign_in(self) -> Mapping[str, Any]:
        """What tokens say of it (OpenID Connect Core §2, Front-Channel Logout §3)."""
        return {
            "auth_time": int(self.auth_time.timestamp()),
            "acr": self.acr,
            "amr": list(self.amr),
            "sid": self.session_id,
        }

    def alive(self, at: datetime, used_since: datetime) -> bool:
        """Whether nobody has ended it, it has not lapsed at ``at``, and somebody used it after ``used_since``."""
        return self.ended_at is None and self.expires_at > at and self.last_active_at > used_since


@dataclass(frozen=True, slots=True)
class Room:
    """What must hold as a new session is kept, so that never more of a person's are alive than may be.

    Attributes:
        most: How many may be alive then, the new one included.
        at, used_since: Which are alive, as ``Session.alive`` has it.
        replaced: Those that end for it, by cuts among the consequences; each must still be alive.
    """

    most: int
    at: datetime
    used_since: datetime
    replaced: frozenset[str] = frozenset()

    def suffices(self, alive: Collection[str]) -> bool:
        """Whether a new session may join ``alive``, the ids of the person's sessions."""
        kept = self.replaced.symmetric_difference(alive)
        return self.replaced.issubset(alive) and len(kept) < self.most
