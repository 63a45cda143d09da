"""Cuts of this very second: what was issued now would be refused, and what is issued a moment later will not."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.cut import CutKind
from authcenter.core.errors import CutPending
from authcenter.core.user import User
from authcenter.tokens.revocation import Revocations

# Up to Python 3.11 looking a member up in its enum costs as much as a call: those of every request, once.
_SUBJECT, _CLIENT, _EVERYTHING = CutKind.SUBJECT, CutKind.CLIENT, (CutKind.EVERYTHING, "")


class Issuable(Protocol):
    """What is about to be issued: ``at`` an instant, to a client, and to a person or for the client itself."""

    @property
    def at(self) -> datetime: ...

    @property
    def client(self) -> Client: ...

    @property
    def subject(self) -> str: ...

    @property
    def user(self) -> User | None: ...


T = TypeVar("T", bound=Issuable)


@dataclass(frozen=True, slots=True)
class PendingCuts:
    """Waits them out."""

    revocations: Revocations
    clock: Clock

    async def passed(self, at: datetime, approve: Callable[[datetime], Awaitable[T]]) -> T:
        """What ``approve`` says ``at`` this instant; where that is cut, what it says once the cut lies in the past.

        Raises:
            CutPending: The cut does not pass.
        """
        approval = await approve(at)
        if self._cut(approval):
            await self._clock_past(approval.at)
            approval = await approve(self.clock.now())
            if reason := self._cut(approval):
                raise CutPending(reason)
        return approval

    def _cut(self, approval: Issuable) -> str | None:
        """Why everything issued by it would be refused, or None."""
        issued_at = int(approval.at.timestamp())
        for owner in (approval.user, approval.client):
            if owner is not None and owner.cut_at is not None and issued_at <= owner.cut_at.timestamp():
                return f"cut up to {owner.cut_at}"
        carried = (
            (_SUBJECT, approval.subject),
            (_CLIENT, approval.client.client_id),
            _EVERYTHING,
        )
        return self.revocations.replica.cut_reason(issued_at, carried)

    async def _clock_past(self, at: datetime) -> None:
        """Wait until the second after next has begun: a cut is at most one second ahead of the clock that made it."""
        await asyncio.sleep(2 - at.timestamp() % 1)
