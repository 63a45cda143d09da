"""The end of every sign-in, whichever way a person proved who they are: a second factor where one is due, the session,
its cookie, and on."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import structs

from authcenter.accounts.known_browsers import LIFETIME as KNOWN_FOR
from authcenter.accounts.known_browsers import KnownBrowsers
from authcenter.accounts.second_factors import SecondFactors
from authcenter.accounts.sessions import ACR_ONE_FACTOR, ACR_TWO_FACTORS, Sessions, SignedIn
from authcenter.authorization.ticket import Proved, Ticket, Tickets
from authcenter.core.clock import Clock
from authcenter.core.digest import Digest
from authcenter.core.errors import SessionsFull
from authcenter.core.session import Session
from authcenter.core.user import User
from authcenter.http.context import NOTES
from authcenter.http.pages.browser import BrowserCookies, new_session_cookie
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.settings.policy_sections import SessionPolicy

SECOND_FACTOR_PATH = "/login/second-factor"
DEMAND_PATH = "/password/new"
SESSIONS_PATH = "/login/sessions"
DEVICE_COOKIE = "device"
SUCCESS = "success"
_NEXT = {"authorize": "/oauth/authorize", "account": "/account", "device": "/device", "logout": "/oauth/logout"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """Opens the session of somebody who has proved who they are, and goes on to where the ticket leads.

    Attributes:
        count: Told of each success, for the metrics: whoever proved half of what it takes is none yet.
    """

    tickets: Tickets
    sessions: Sessions
    cookies: BrowserCookies
    policy: Callable[[], SessionPolicy]
    factors: SecondFactors
    browsers: KnownBrowsers
    clock: Clock
    count: Callable[[str], None]

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
        """The answer that signs ``user`` in, and goes on.

        Or the way to what is due before that: a second factor of who has one and proved only the first, then a new
        password of whose password must be set anew.

        Args:
            before: Who was signed in in this browser until now.
            amr: The methods of RFC 8176 it was proved by.

        Where as many are signed in for them as may be, and the policy is to reject, it leads to ``SESSIONS_PATH``.

        Raises:
            StoreUnavailable: Nobody was signed in.
        """
        if acr != ACR_TWO_FACTORS and await self.factors.due(user):
            return self._to(SECOND_FACTOR_PATH, visit, ticket, user, amr)
        if user.reset_required_at is not None and "pwd" in amr:
            return self._to(DEMAND_PATH, visit, ticket, user, amr, acr)
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
        self.count(SUCCESS)
        answer = self.go_on(visit, ticket)
        self.cookies.sign_in(answer, cookie, self.policy().max_ttl)
        note = self.browsers.remember(self.cookies.kept(visit.request, DEVICE_COOKIE), user)
        self.cookies.give(answer, DEVICE_COOKIE, note, int(KNOWN_FOR.total_seconds()))
        return answer

    def _ask_for_room(self, visit: Visit, ticket: Ticket, user: User, amr: Sequence[str], acr: str) -> Answer:
        """To the page on which one of the sessions there are can be ended, with what has been proved."""
        held, cut_at = ticket.proved, user.cut_at.timestamp() if user.cut_at else 0.0
        if held is None or not held.acr or held.subject != user.subject or held.at < cut_at:
            return self._to(SESSIONS_PATH, visit, ticket, user, amr, acr)
        # That page has spent it: it counts once more, and lives no longer by being shown again.
        anew = structs.replace(ticket, proved=structs.replace(held, proof_id=_new_id()))
        return see_other(f"{SESSIONS_PATH}?ticket={self.tickets.seal(anew, visit.browser.browser_id)}")

    async def raise_session(self, visit: Visit, answer: Answer, session: Session, *, amr: Sequence[str]) -> bool:
        """Let this browser's session count as one of two factors, and put its new cookie on ``answer``; False: ended.

        Raises:
            StoreUnavailable: It is what it was.
        """
        cookie, digest = new_session_cookie()
        raised = await self.sessions.raise_to_two(
            session, Digest(digest), visit.origin, amr=amr, before_cookie=visit.browser.session_digest
        )
        if raised:
            self.cookies.sign_in(answer, cookie, self.policy().max_ttl)
        return raised

    def _to(self, path: str, visit: Visit, ticket: Ticket, user: User, amr: Sequence[str], acr: str = "") -> Answer:
        # What cut the person off before the first proof was read does not count against it.
        cut_at = user.cut_at.timestamp() if user.cut_at else 0.0
        proved = Proved(user.subject, tuple(amr), max(self.clock.seconds(), cut_at), acr, _new_id())
        sealed = self.tickets.seal(structs.replace(ticket, proved=proved), visit.browser.browser_id)
        return see_other(f"{path}?ticket={sealed}")

    def go_on(self, visit: Visit, ticket: Ticket) -> Answer:
        """To where the ticket leads. It was sealed here, so that nobody else can have chosen the place."""
        return see_other(self.way_on(visit, ticket))

    def way_on(self, visit: Visit, ticket: Ticket) -> str:
        """The path of it."""
        path = _NEXT[ticket.destination]
        if ticket.destination == "account":
            return ticket.page or path
        chosen = structs.replace(ticket, account_chosen=True, proved=None)
        return f"{path}?ticket={self.tickets.seal(chosen, visit.browser.browser_id)}"


def _new_id() -> str:
    return secrets.token_urlsafe(16)
