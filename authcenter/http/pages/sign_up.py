"""``/signup``: whoever gives an address is told to look into its mail, whether or not it has an account."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from authcenter.accounts.sign_up import SignUp
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.errors import InvalidInput, OAuthError, RateLimited
from authcenter.core.rules import Rule
from authcenter.federation.offered import Offered
from authcenter.http.context import NOTES
from authcenter.http.pages import too_often
from authcenter.http.pages.browser import BrowserCookies
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

PATH = "/signup"
SENT_PATH = "/signup/sent"
_TICKET = "signup_ticket"
_TICKET_SECONDS = 3600
# What browsers keep of a cookie, less its name and attributes.
_LONGEST_COOKIE = 3800


@dataclass(frozen=True, slots=True)
class KeptTicket:
    """Where a sign-in was to lead that became a sign-up: kept by the browser until the link is followed there."""

    tickets: Tickets
    cookies: BrowserCookies

    def keep(self, visit: Visit, answer: Answer, ticket: Ticket) -> Answer:
        sealed = self.tickets.seal(ticket, visit.browser.browser_id)
        if len(sealed) <= _LONGEST_COOKIE:
            self.cookies.give(answer, _TICKET, sealed, _TICKET_SECONDS)
        return answer

    def take(self, visit: Visit) -> Ticket:
        """The ticket that was kept and still holds, else one for the account page."""
        sealed = self.cookies.kept(visit.request, _TICKET)
        with suppress(OAuthError):
            if sealed is not None:
                return self.tickets.open(sealed, visit.browser.browser_id)
        return Ticket("account", self.tickets.lapse())

    def forget(self, answer: Answer) -> Answer:
        self.cookies.give(answer, _TICKET, "", 0)
        return answer


@dataclass(frozen=True, slots=True)
class SignUpPage:
    """Asks for an address, and sends a link to it."""

    pages: Pages
    tickets: Tickets
    kept: KeptTicket
    sign_up: SignUp
    offered: Callable[[], Sequence[Offered]]

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)
        self.pages.mount(router, SENT_PATH, self.sent)

    async def get(self, visit: Visit) -> Answer:
        return self._form(visit, self._ticket(visit, visit.query.get("ticket")))

    async def post(self, visit: Visit) -> Answer:
        ticket = self._ticket(visit, visit.form.get("ticket"))
        try:
            await self.sign_up.ask(visit.form.get("email") or "", visit.messages.language, visit.origin.ip)
        except InvalidInput as refused:
            visit.request[NOTES].verdict = (Rule.INPUT_REFUSED, str(refused))
            return self._form(visit, ticket, "signup.wrong_address", 422)
        except RateLimited as limited:
            minutes = too_often.minutes(visit, limited)
            return too_often.later(self._form(visit, ticket, "signup.limited", too_often.STATUS, minutes), limited)
        answer = see_other(SENT_PATH)
        return self.kept.keep(visit, answer, ticket) if ticket is not None else answer

    async def sent(self, visit: Visit) -> Answer:
        self.sign_up.check_on()
        return self.pages.show(visit, "signup_sent.html")

    def _ticket(self, visit: Visit, sealed: str | None) -> Ticket | None:
        self.sign_up.check_on()
        return self.tickets.open(sealed, visit.browser.browser_id) if sealed else None

    def _form(
        self, visit: Visit, ticket: Ticket | None, problem: str = "", status: int = 200, minutes: int = 0
    ) -> Answer:
        visit = self.pages.in_language_of(visit, ticket)
        onward = ticket or Ticket("account", self.tickets.lapse())
        return self.pages.show(
            visit,
            "signup.html",
            status=status,
            ticket=self.tickets.seal(ticket, visit.browser.browser_id) if ticket is not None else "",
            email=visit.form.get("email") or "",
            providers=[each for each in self.offered() if each.opens_accounts],
            providers_ticket=self.tickets.seal(onward, visit.browser.browser_id),
            problem=visit.messages(problem, minutes=minutes) if problem else "",
        )
