"""The first proof of a sign-in, when the second one is asked for: what a ticket says was proved, or the session."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec import structs

from authcenter.accounts.sessions import Sessions
from authcenter.authorization.ticket import Proved, Ticket, Tickets
from authcenter.core.clock import Clock
from authcenter.core.rules import Rule
from authcenter.core.session import Session
from authcenter.core.user import User
from authcenter.core.value import Value
from authcenter.http.context import NOTES
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer

HOLDS_SECONDS = 600
"""How long a first proof waits for the second."""


class First(Value, frozen=True):
    """Whom a first proof names.

    Attributes:
        amr: The methods of RFC 8176 it was made by.
        session: Where it was made by signing in, in this browser, before.
    """

    user: User
    amr: tuple[str, ...]
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class FirstProof:
    """Finds it, or sends the person back to make it.

    Attributes:
        find: A person by subject, from the record itself: what happened to the account since counts.
    """

    find: Callable[[str], Awaitable[User | None]]
    sessions: Sessions
    tickets: Tickets
    clock: Clock

    async def of(self, visit: Visit, ticket: Ticket) -> First | Answer:
        """The proof, or the way to ``/login``.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        if ticket.proved is None:
            signed_in = await self.sessions.current(visit.browser.session_digest)
            if signed_in is None:
                return self.again(visit, ticket, "nobody is signed in")
            return First(signed_in.user, signed_in.session.amr, signed_in.session)
        user = await self.find(ticket.proved.subject)
        if user is None:
            return self.again(visit, ticket, f"{ticket.proved.subject} is gone")
        if stale := self._stale(ticket.proved, user):
            return self.again(visit, ticket, f"{user.subject}: {stale}")
        return First(user, ticket.proved.amr)

    def again(self, visit: Visit, ticket: Ticket, why: str) -> Answer:
        """To ``/login``, which says that the first proof no longer holds."""
        visit.request[NOTES].verdict = (Rule.SECOND_FACTOR_STALE, why)
        sealed = self.tickets.seal(structs.replace(ticket, proved=None), visit.browser.browser_id)
        return see_other(f"/login?again=1&ticket={sealed}")

    def _stale(self, proved: Proved, user: User) -> str:
        if user.disabled_at is not None:
            return "disabled meanwhile"
        if user.cut_at is not None and user.cut_at.timestamp() > proved.at:
            return "cut off meanwhile: a new password, or logged out everywhere"
        age = self.clock.seconds() - proved.at
        return f"proved {age:.0f} s ago" if age > HOLDS_SECONDS else ""
