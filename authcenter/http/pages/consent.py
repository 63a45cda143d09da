"""``/consent``: what a client asks for, and whether the person gives it (OpenID Connect Core §3.1.2.4)."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from msgspec import structs

from authcenter.accounts.sessions import Sessions
from authcenter.authorization.consents import Consents, asked_claims, asked_resources
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.authorization import AuthorizationRequest
from authcenter.core.client import Client
from authcenter.core.errors import invalid_request
from authcenter.core.rules import Rule
from authcenter.core.scope import Scope
from authcenter.http.pages.client_face import face_of
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.pages.wishes import wishes
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.clients import ClientLookup, ResourceLookup

PATH = "/consent"
_ANSWERS = {"allow": "granted", "deny": "denied"}


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """Asks, remembers what was agreed to, and goes back to the authorization endpoint."""

    pages: Pages
    tickets: Tickets
    sessions: Sessions
    consents: Consents
    clients: ClientLookup
    resources: ResourceLookup

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        ticket, request, client = await self._open(visit, visit.query.get("ticket"))
        signed_in = await self.sessions.current(visit.browser.session_digest)
        if signed_in is None:
            return see_other(f"/login?ticket={self.tickets.seal(ticket, visit.browser.browser_id)}")
        visit = self.pages.in_language(visit, request.ui_locales)
        face = face_of(client, visit.messages.language)
        return self.pages.show(
            visit,
            "consent.html",
            form_to=[request.redirect_uri],
            images=[face.logo],
            ticket=self.tickets.seal(ticket, visit.browser.browser_id),
            client=face,
            host=urlsplit(request.redirect_uri).netloc,
            user=signed_in.user,
            wishes=await wishes(
                visit.messages, self.resources, asked_resources(request, client), request.scope or Scope()
            ),
            claims=sorted(asked_claims(request)),
        )

    async def post(self, visit: Visit) -> Answer:
        ticket, request, client = await self._open(visit, visit.form.get("ticket"))
        signed_in = await self.sessions.current(visit.browser.session_digest)
        answer = _ANSWERS.get(visit.form.get("answer") or "")
        # Another person than the one whom the page asked may have signed in meanwhile: that one is asked first.
        if answer is None or signed_in is None or signed_in.user.subject != visit.form.get("person"):
            return see_other(f"{PATH}?ticket={self.tickets.seal(ticket, visit.browser.browser_id)}")
        if answer == "granted":
            await self.consents.grant(signed_in.user.subject, request, client, visit.origin)
        answered = structs.replace(ticket, consent=answer, answered_by=signed_in.user.subject)
        return see_other(f"/oauth/authorize?ticket={self.tickets.seal(answered, visit.browser.browser_id)}")

    async def _open(self, visit: Visit, sealed: str | None) -> tuple[Ticket, AuthorizationRequest, Client]:
        ticket = self.tickets.open(sealed or "", visit.browser.browser_id)
        client = await self.clients.find(ticket.request.client_id) if ticket.request else None
        if ticket.request is None or client is None or client.disabled_at is not None:
            raise invalid_request(Rule.TICKET_INVALID, "This sign-in is no longer valid. Start again.", "no request")
        return ticket, ticket.request, client
