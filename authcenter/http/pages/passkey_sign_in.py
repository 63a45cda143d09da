"""``/login/passkey``: signing in by a passkey alone, which says whose it is."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import structs

from authcenter.accounts.passkeys import Passkeys
from authcenter.accounts.sessions import ACR_TWO_FACTORS, Sessions
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.errors import ErrorCode, OAuthError, RateLimited
from authcenter.http.context import NOTES
from authcenter.http.pages.arrival import Arrival
from authcenter.http.pages.client_face import face_of
from authcenter.http.pages.passkey_forms import answered, problem_with_passkey
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.too_often import STATUS, how_long, later
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.clients import ClientLookup

PATH = "/login/passkey"


@dataclass(frozen=True, slots=True)
class PasskeySignInPage:
    """Asks the browser for a passkey, signs its owner in and goes on to where the ticket leads.

    Attributes:
        count: Told each failure, for the metrics.
    """

    pages: Pages
    tickets: Tickets
    sessions: Sessions
    passkeys: Passkeys
    clients: ClientLookup
    arrival: Arrival
    count: Callable[[str], None]

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        visit, ticket = self._read(visit, visit.query.get("ticket"))
        return await self._ask(visit, ticket)

    async def post(self, visit: Visit) -> Answer:
        visit, ticket = self._read(visit, visit.form.get("ticket"))
        if visit.form.get("act") == "cancel" and ticket.request is not None:
            return self.arrival.go_on(visit, structs.replace(ticket, consent="denied"))
        try:
            user, methods = await self.passkeys.sign_in(answered(visit), visit.origin)
        except RateLimited as limited:
            self.count(limited.rule)
            return later(await self._ask(visit, ticket, how_long(visit, limited), STATUS), limited)
        except OAuthError as refused:
            if refused.code is not ErrorCode.INVALID_GRANT:
                raise
            self.count(refused.rule)
            visit.request[NOTES].verdict = (refused.rule, refused.hint)
            return await self._ask(visit, ticket, problem_with_passkey(visit, refused.rule), 401)
        before = await self.sessions.current(visit.browser.session_digest)
        return await self.arrival.arrive(visit, ticket, user, before, amr=methods, acr=ACR_TWO_FACTORS)

    def _read(self, visit: Visit, sealed: str | None) -> tuple[Visit, Ticket]:
        """The ticket, and the visit in the language that its client asks for."""
        if sealed is None:
            return visit, Ticket("account", self.tickets.lapse())
        ticket = self.tickets.open(sealed, visit.browser.browser_id)
        return self.pages.in_language_of(visit, ticket), ticket

    async def _ask(self, visit: Visit, ticket: Ticket, problem: str = "", status: int = 200) -> Answer:
        sealed, request = self.tickets.seal(ticket, visit.browser.browser_id), ticket.request
        if not self.passkeys.party.has_name:
            return see_other(f"/login?ticket={sealed}")
        client = await self.clients.find(request.client_id) if request else None
        return self.pages.show(
            visit,
            "passkey_sign_in.html",
            status=status,
            scripts=True,
            form_to=[request.redirect_uri] if request else (),
            ticket=sealed,
            client=face_of(client, visit.messages.language) if client else None,
            question=self.passkeys.to_sign_in(visit.browser.browser_id),
            problem=problem,
        )
