"""The end of every sign-in, whichever way a person proved who they are: the session, its cookie, and on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import structs

from authcenter.accounts.known_browsers import LIFETIME as KNOWN_FOR
from authcenter.accounts.known_browsers import KnownBrowsers
from authcenter.accounts.sessions import ACR_ONE_FACTOR, Sessions, SignedIn
from authcenter.authorization.ticket import Proved, Ticket, Tickets
from authcenter.core.clock import Clock
from authcenter.core.digest import Digest
from authcenter.core.errors import SessionsFull
from authcenter.core.user import User
from authcenter.http.context import NOTES
from authcenter.http.pages.browser import BrowserCookies, new_session_cookie
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.settings.policy_sections import SessionPolicy

SESSIONS_PATH = "/login/sessions"
DEVICE_COOKIE = "device"
_NEXT = {"authorize": "/oauth/authorize", "account": "/account", "device": "/device", "logout": "/oauth/logout"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """Opens the session of somebody who has proved who they are, and goes on to where the ticket leads."""

    tickets: Tickets
    sessions: Sessions
    cookies: BrowserCookies
    policy: Callable[[], SessionPolicy]
    browsers: KnownBrowsers
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
        """The answer that signs ``user`` in.

        Args:
            before: Who was signed in in this browser until now.
            amr: The methods of RFC 8176 it was proved by.

        Where as many are signed in for them as may be, and the policy is to reject, it leads to ``SESSIONS_PATH``.

        Raises:
            StoreUnavailable: Nobody was signed in.
        """
        cookie, digest = new_session_cookie()
        try:
            await self.sessions.sign_in(
                user,
                Digest(digest),
                visit.origin,
                amr=amr,
                acr=acr,
                before=before.session if before else None,
                before_cookie=visit.browser.session_digest,
            )
        except SessionsFull as full:
            visit.request[NOTES].verdict = (full.rule, full.hint)
            return self._ask_for_room(visit, ticket, user, amr, acr)
        answer = self.go_on(visit, ticket)
        self.cookies.sign_in(answer, cookie, self.policy().max_ttl)
        note = self.browsers.remember(self.cookies.kept(visit.request, DEVICE_COOKIE), user)
        self.cookies.give(answer, DEVICE_COOKIE, note, int(KNOWN_FOR.total_seconds()))
        return answer

    def _ask_for_room(self, visit: Visit, ticket: Ticket, user: User, amr: Sequence[str], acr: str) -> Answer:
        """To the page on which one of the sessions there are can be ended, with what has been proved just now."""
        now, held = self.clock.seconds(), ticket.proved
        if held is None or held.acr is None or held.subject != user.subject:
            # A cut counts in whole seconds, and may lie a little ahead: it came before this proof all the same.
            at = max(now, user.cut_at.timestamp()) if user.cut_at else now
            # Else it comes from that page: a proof does not live longer by being shown again.
            held = Proved(user.subject, tuple(amr), at, acr)
        sealed = self.tickets.seal(structs.replace(ticket, proved=held), visit.browser.browser_id)
        return see_other(f"{SESSIONS_PATH}?ticket={sealed}")

    def go_on(self, visit: Visit, ticket: Ticket) -> Answer:
        """To where the ticket leads. It was sealed here, so that nobody else can have chosen the place."""
        path = _NEXT[ticket.destination]
        if ticket.destination == "account":
            return see_other(ticket.page or path)
        chosen = structs.replace(ticket, account_chosen=True, proved=None)
        return see_other(f"{path}?ticket={self.tickets.seal(chosen, visit.browser.browser_id)}")
