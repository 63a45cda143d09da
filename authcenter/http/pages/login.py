"""``/login``: a name and a password, or going on as who is signed in already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import structs

from authcenter.accounts.known_browsers import KnownBrowsers
from authcenter.accounts.sessions import Sessions, SignedIn
from authcenter.accounts.sign_in import PasswordSignIn
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.errors import ErrorCode, OAuthError, RateLimited
from authcenter.federation.offered import Offered
from authcenter.http.context import NOTES
from authcenter.http.pages import too_often
from authcenter.http.pages.arrival import DEVICE_COOKIE, Arrival
from authcenter.http.pages.client_face import face_of
from authcenter.http.pages.rendering import Pages
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.clients import ClientLookup

PATH = "/login"


@dataclass(frozen=True, slots=True)
class LoginPage:
    """Signs a person in and goes on to where the ticket leads.

    Attributes:
        count: Told each failure, for the metrics.
        sign_up: Whether strangers may open accounts.
        passkeys: Whether browsers can have passkeys for this issuer.
        offered: The identity providers there are.
    """

    pages: Pages
    tickets: Tickets
    sessions: Sessions
    sign_in: PasswordSignIn
    clients: ClientLookup
    arrival: Arrival
    browsers: KnownBrowsers
    count: Callable[[str], None]
    sign_up: Callable[[], bool]
    passkeys: bool
    offered: Callable[[], Sequence[Offered]] = tuple

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        # From the page of the second factor, which the first one no longer holds for.
        again = "login.again" if visit.query.get("again") else ""
        return await self._form(visit, self._ticket(visit, visit.query.get("ticket")), again)

    async def post(self, visit: Visit) -> Answer:
        form = visit.form
        ticket = self._ticket(visit, form.get("ticket"))
        before = await self.sessions.current(visit.browser.session_digest)
        if form.get("act") == "continue":
            return await self._continue(visit, ticket, before)
        if form.get("act") == "cancel" and ticket.request is not None:
            return self.arrival.go_on(visit, structs.replace(ticket, consent="denied"))
        login, password = form.get("username") or "", form.values.get("password") or ""
        try:
            device = self.browsers.device(self.pages.cookies.kept(visit.request, DEVICE_COOKIE), login)
            user = await self.sign_in.identify(login, password, visit.origin.ip, device)
        except RateLimited as limited:
            self.count(limited.rule)
            minutes = too_often.minutes(visit, limited)
            answer = await self._form(visit, ticket, "login.limited", too_often.STATUS, minutes=minutes)
            return too_often.later(answer, limited)
        except OAuthError as refused:
            if refused.code is not ErrorCode.INVALID_GRANT:
                raise
            self.count(refused.rule)
            visit.request[NOTES].verdict = (refused.rule, refused.hint)
            return await self._form(visit, ticket, "login.wrong", 401)
        return await self.arrival.arrive(visit, ticket, user, before, amr=["pwd"])

    async def _continue(self, visit: Visit, ticket: Ticket, signed_in: SignedIn | None) -> Answer:
        """On as the person whose name was on the button, not as who may have signed in meanwhile."""
        if signed_in is None or ticket.login_after is not None or signed_in.user.subject != visit.form.get("person"):
            return await self._form(visit, ticket)
        return self.arrival.go_on(visit, ticket)

    def _ticket(self, visit: Visit, sealed: str | None) -> Ticket:
        if sealed is None:
            return Ticket("account", self.tickets.lapse())
        return self.tickets.open(sealed, visit.browser.browser_id)

    async def _form(
        self, visit: Visit, ticket: Ticket, problem: str = "", status: int = 200, **about: object
    ) -> Answer:
        request = ticket.request
        visit = self.pages.in_language_of(visit, ticket)
        client = await self.clients.find(request.client_id) if request else None
        # Whom `prompt=login` or `max_age` asks for again can not go on by a button.
        known = await self.sessions.current(visit.browser.session_digest) if ticket.login_after is None else None
        return self.pages.show(
            visit,
            "login.html",
            status=status,
            form_to=[request.redirect_uri] if request else (),
            ticket=self.tickets.seal(ticket, visit.browser.browser_id),
            client=face_of(client, visit.messages.language) if client else None,
            known=known.user if known and not problem else None,
            sign_up=self.sign_up(),
            passkey=self.passkeys,
            login=visit.form.get("username") or (request.login_hint if request else None) or "",
            problem=visit.messages(problem, **about) if problem else "",
            providers=self.offered(),
        )
