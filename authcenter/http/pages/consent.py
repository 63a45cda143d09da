"""``/consent``: what a client asks for, and whether the person gives it (OpenID Connect Core §3.1.2.4)."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from msgspec import structs

from authcenter.accounts.sessions import Sessions, SignedIn
from authcenter.authorization.consents import Consents, asked_claims
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.authorization import AuthorizationRequest
from authcenter.core.client import Client
from authcenter.core.digest import Digest
from authcenter.core.errors import invalid_request
from authcenter.core.rules import Rule
from authcenter.core.scope import Scope
from authcenter.http.pages.browser import cookie_digest
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
        signed_in = await self._signed_in(visit)
        if signed_in is None:
            return see_other(f"/login?ticket={self.tickets.seal(ticket, visit.browser.browser_id)}")
        visit = self.pages.in_language(visit, request.ui_locales)
        audience = request.resources or client.audiences[:1]
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
            wishes=await wishes(visit.messages, self.resources, audience, request.scope or Scope()),
            claims=sorted(asked_claims(request)),
        )

    async def post(self, visit: Visit) -> Answer:
        ticket, request, _ = await self._open(visit, visit.form.get("ticket"))
        signed_in = await self._signed_in(visit)
        answer = _ANSWERS.get(visit.form.get("answer") or "")
        if signed_in is None or answer is None:
            return see_other(f"{PATH}?ticket={self.tickets.seal(ticket, visit.browser.browser_id)}")
        if answer == "granted":
            await self.consents.grant(signed_in.user.subject, request, visit.origin)
        answered = structs.replace(ticket, consent=answer)
        return see_other(f"/oauth/authorize?ticket={self.tickets.seal(answered, visit.browser.browser_id)}")

    async def _open(self, visit: Visit, sealed: str | None) -> tuple[Ticket, AuthorizationRequest, Client]:
        ticket = self.tickets.open(sealed or "", visit.browser.browser_id)
        client = await self.clients.find(ticket.request.client_id) if ticket.request else None
        if ticket.request is None or client is None:
            raise invalid_request(Rule.TICKET_INVALID, "This sign-in is no longer valid. Start again.", "no request")
        return ticket, ticket.request, client

    async def _signed_in(self, visit: Visit) -> SignedIn | None:
        cookie = visit.browser.session
        return await self.sessions.current(Digest(cookie_digest(cookie)) if cookie else None)
