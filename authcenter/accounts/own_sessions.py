"""What a person does with the sessions of their own account."""

from collections.abc import Sequence
from dataclasses import dataclass

from authcenter.accounts.sessions import Sessions
from authcenter.core.origin import RequestOrigin
from authcenter.core.session import Session

_REASON = "ended by its owner"


@dataclass(frozen=True, slots=True)
class OwnSessions:
    """Lists them, and ends them with their families and access tokens, on every instance.

    Raises (each method):
        StoreUnavailable: Cannot tell; what was to end may go on.
    """

    sessions: Sessions

    async def list_of(self, subject: str) -> Sequence[Session]:
        """Those that somebody can go on with, the most recently active first."""
        return await self.sessions.alive_of(subject)

    async def end(self, subject: str, session_id: str, origin: RequestOrigin) -> bool:
        """End one; False: the person has none of that id, or it has ended."""
        held = await self.sessions.store.get(session_id) if session_id.isprintable() else None
        # Somebody else's is as unknown as one that there never was.
        if held is None or held.subject != subject or held.ended_at is not None:
            return False
        return await self.sessions.end(held, _REASON, subject, origin)

    async def end_others(self, subject: str, kept: str, origin: RequestOrigin) -> int:
        """End all but ``kept``, those that lapsed included, for what hangs on them; how many they were."""
        theirs = await self.sessions.store.list_of(subject)
        others = [session for session in theirs if session.session_id != kept]
        return sum([await self.sessions.end(session, _REASON, subject, origin) for session in others])
