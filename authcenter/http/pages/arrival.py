"""The end of every sign-in, whichever way a person proved who they are: the session, its cookie, and on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import structs

from authcenter.accounts.sessions import ACR_ONE_FACTOR, Sessions, SignedIn
from authcenter.authorization.ticket import Proved, Ticket, Tickets
from authcenter.core.clock import Clock
from authcenter.core.digest import Digest
from authcenter.core.user import User
from authcenter.http.pages.browser import BrowserCookies, new_session_cookie
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.settings.policy_sections import SessionPolicy

DEMAND_PATH = "/password/new"
_NEXT = {"authorize": "/oauth/authorize", "account": "/account", "device": "/device", "logout": "/oauth/logout"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """Opens the session of somebody who has proved who they are, and goes on to where the ticket leads."""

    tickets: Tickets
    sessions: Sessions
    cookies: BrowserCookies
    policy: Callable[[], SessionPolicy]
    clock: Clock

    async def arrive(
        self,
        visit: Visit,
        ticket: Ticket,
        user: User,
        before: SignedIn | None,
        *,
        amr: Sequence[str],
        acr: str = ACR_ONE_FACTOR,
    ) -> Answer:
        """The answer that signs ``user`` in; whose password must be set anew, the way to where that is done.

        Args:
            before: Who was signed in in this browser until now.
            amr: The methods of RFC 8176 it was proved by.

        Raises:
            StoreUnavailable: Nobody was signed in.
        """
        if user.reset_required_at is not None and "pwd" in amr:
            return self._to_new_password(visit, ticket, user, amr, acr)
        cookie, digest = new_session_cookie()
        await self.sessions.sign_in(
            user,
            Digest(digest),
            visit.origin,
            amr=amr,
            acr=acr,
            before=before.session if before else None,
            before_cookie=visit.browser.session_digest,
        )
        answer = self.go_on(visit, ticket)
        self.cookies.sign_in(answer, cookie, self.policy().max_ttl)
        return answer

    def _to_new_password(self, visit: Visit, ticket: Ticket, user: User, amr: Sequence[str], acr: str) -> Answer:
        # What cut the person off before the password was read does not count against it.
        cut_at = user.cut_at.timestamp() if user.cut_at else 0.0
        proved = Proved(user.subject, tuple(amr), max(self.clock.seconds(), cut_at), acr)
        sealed = self.tickets.seal(structs.replace(ticket, proved=proved), visit.browser.browser_id)
        return see_other(f"{DEMAND_PATH}?ticket={sealed}")

    def go_on(self, visit: Visit, ticket: Ticket) -> Answer:
        """To where the ticket leads. It was sealed here, so that nobody else can have chosen the place."""
        path = _NEXT[ticket.destination]
        if ticket.destination == "account":
            return see_other(ticket.page or path)
        chosen = structs.replace(ticket, account_chosen=True)
        return see_other(f"{path}?ticket={self.tickets.seal(chosen, visit.browser.browser_id)}")
