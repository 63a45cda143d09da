"""``/login/sessions``: somebody has proved who they are, but as many are signed in as may be. One has to be ended."""

from dataclasses import dataclass
from datetime import timedelta

from msgspec import structs

from authcenter.accounts.own_sessions import OwnSessions
from authcenter.authorization.ticket import Proved, Ticket, Tickets
from authcenter.core.clock import Clock
from authcenter.core.errors import invalid_request
from authcenter.core.rules import Rule
from authcenter.core.user import User
from authcenter.http.pages.arrival import SESSIONS_PATH, Arrival
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.session_cards import session_cards
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.accounts import UserLookup
from authcenter.stores.ports.shared import ReplayCache

_COUNTS_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class LoginSessionsPage:
    """Ends one of the sessions there are, and lets the person in whom the ticket says has proved to be theirs.

    Attributes:
        users: The record itself: whoever was disabled or logged out since the proof is not let in.
        replay: Remembers which proofs were used: a ticket stays in the history of a browser that others may use.
    """

    pages: Pages
    tickets: Tickets
    arrival: Arrival
    sessions: OwnSessions
    users: UserLookup
    replay: ReplayCache
    clock: Clock

    def mount(self, router: Router) -> None:
        self.pages.mount(router, SESSIONS_PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        sealed = visit.query.get("ticket") or ""
        ticket, proved = self._opened(visit, sealed)
        user = await self._proven(proved)
        if user is None:
            return self._again(visit, ticket)
        request = ticket.request
        visit = self.pages.in_language_of(visit, ticket)
        cards = session_cards(await self.sessions.list_of(user.subject), visit.messages, self.clock.now())
        client = [request.redirect_uri] if request else []
        return self.pages.show(visit, "login_sessions.html", form_to=client, ticket=sealed, user=user, cards=cards)

    async def post(self, visit: Visit) -> Answer:
        ticket, proved = self._opened(visit, visit.form.get("ticket") or "")
        user = await self._proven(proved)
        if user is None or not await self.replay.first_use("sign_in_proof", proved.proof_id, _COUNTS_FOR):
            return self._again(visit, ticket)
        if ended := visit.form.get("end"):
            await self.sessions.end(user.subject, ended, visit.origin)
        # Where somebody else was faster, this leads here once more.
        before = await self.sessions.sessions.current(visit.browser.session_digest)
        return await self.arrival.arrive(visit, ticket, user, before, amr=proved.amr, acr=proved.acr)

    def _opened(self, visit: Visit, sealed: str) -> tuple[Ticket, Proved]:
        """The ticket of somebody who has nothing more to prove.

        Raises:
            OAuthError: It is not theirs, or has lapsed.
        """
        ticket = self.tickets.open(sealed, visit.browser.browser_id)
        if ticket.proved is None or not ticket.proved.acr:
            description = "This sign-in is no longer valid. Start again."
            raise invalid_request(Rule.TICKET_INVALID, description, "nobody has proved who they are by it")
        return ticket, ticket.proved

    async def _proven(self, proved: Proved) -> User | None:
        """Whose the proof is; None: it was a while ago, or does not count any more."""
        if proved.at + _COUNTS_FOR.total_seconds() <= self.clock.seconds():
            return None
        user = await self.users.find(proved.subject)
        if user is None or user.disabled_at is not None:
            return None
        if user.reset_required_at is not None and "pwd" in proved.amr:
            return None
        return None if user.cut_at is not None and proved.at < user.cut_at.timestamp() else user

    def _again(self, visit: Visit, ticket: Ticket) -> Answer:
        unproved = structs.replace(ticket, proved=None)
        return see_other(f"/login?ticket={self.tickets.seal(unproved, visit.browser.browser_id)}")
