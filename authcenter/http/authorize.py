"""``GET`` and ``POST /oauth/authorize`` (RFC 6749 §3.1, OpenID Connect Core §3.1.2): reads, asks, answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from authcenter.accounts.sessions import Sessions
from authcenter.authorization.checks import Answerable, AuthorizationChecks
from authcenter.authorization.decision import Ask, AuthorizationDecision, Page
from authcenter.authorization.reading import RequestReader, Way
from authcenter.authorization.redirects import registered
from authcenter.authorization.signed_response import SIGNED_MODES, SignedResponses
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.authorization import ResponseMode
from authcenter.core.checks import failed
from authcenter.core.client import Client
from authcenter.core.errors import OAuthError, invalid_request
from authcenter.core.form import Form
from authcenter.core.marks import marked_uri
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES
from authcenter.http.pages.arrival import SECOND_FACTOR_PATH
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.clients import ClientLookup

PATH = "/oauth/authorize"
_POSTED = "posted"
"""What a request that came by POST is sealed for: no browser in particular, for such a POST comes without cookies."""

_PATH_OF = {
    Page.LOGIN: "/login",
    Page.ACCOUNT: "/login",
    Page.SECOND_FACTOR: SECOND_FACTOR_PATH,
    Page.CONSENT: "/consent",
}
_NO_LONGER = "The redirect URI is not registered for this application."
_NEVER_ENCODED = "-._~"


@dataclass(frozen=True, slots=True)
class AuthorizationEndpoint:
    """The authorization endpoint."""

    reader: RequestReader
    checks: AuthorizationChecks
    decision: AuthorizationDecision
    sessions: Sessions
    tickets: Tickets
    signed: SignedResponses
    clients: ClientLookup
    pages: Pages
    issuer: str

    def mount(self, router: Router) -> None:
        router.add_get(PATH, self.pages.page(self.get), head=False)
        router.add_post(PATH, self.pages.page(self.post, own_forms=False))

    async def get(self, visit: Visit) -> Answer:
        """A new request, one that was posted, or one that comes back from a page."""
        if sealed := visit.query.get("ticket"):
            return await self._go_on(visit, self.tickets.open(sealed, visit.browser.browser_id))
        if sealed := visit.query.get(_POSTED):
            return await self._go_on(visit, self.tickets.open(sealed, _POSTED))
        checked = await self._checked(visit, visit.query)
        return checked if isinstance(checked, Answer) else await self._go_on(visit, checked)

    async def post(self, visit: Visit) -> Answer:
        """Checked, then sent round as a GET: a form from another site comes without the cookie of the session."""
        checked = await self._checked(visit, visit.form)
        if isinstance(checked, Answer):
            return checked
        return see_other(f"{PATH}?{_POSTED}={self.tickets.seal(checked, _POSTED)}")

    async def _checked(self, visit: Visit, form: Form) -> Ticket | Answer:
        visit.request[NOTES].client_id = form.get("client_id")
        client = await self.checks.client(form)
        try:
            asked = await self.reader.read(form, client, Way.AUTHORIZE)
        except OAuthError as refused:
            # What cannot be read says nothing of where to answer: only what stands beside it does, where registered.
            return self._refuse(visit, refused, self._beside(form, client, refused))
        to = self.checks.answerable(asked.form, client)
        try:
            request = await self.checks.check(asked, to)
        except OAuthError as refused:
            return self._refuse(visit, refused, to)
        return Ticket("authorize", self.tickets.lapse(), request)

    def _beside(self, form: Form, client: Client, refused: OAuthError) -> Answerable:
        try:
            return self.checks.answerable(form, client)
        except OAuthError:
            raise refused from None

    async def _go_on(self, visit: Visit, ticket: Ticket) -> Answer:
        request = ticket.request
        if request is None:
            raise invalid_request(Rule.TICKET_INVALID, "This sign-in is no longer valid. Start again.", "no request")
        visit.request[NOTES].client_id = request.client_id
        client = await self.clients.find(request.client_id)
        if client is None or client.disabled_at is not None:
            failed("client", client_id=request.client_id, known=client is not None)
            raise invalid_request(Rule.CLIENT_DISABLED, "The application is not known here.", request.client_id)
        if not registered(request.redirect_uri, client.redirect_uris):
            came = marked_uri(request.redirect_uri, client.redirect_uris)
            failed("redirect_uri", came=came, registered=" ".join(client.redirect_uris))
            raise invalid_request(Rule.REDIRECT_URI, _NO_LONGER, f"{came!a:.300} was taken back")
        to = Answerable(client, request.redirect_uri, request.redirect_uri_sent, request.response_mode, request.state)
        signed_in = await self.sessions.current(visit.browser.session_digest)
        try:
            self.checks.check_still_allowed(request, client)
            outcome = await self.decision.decide(ticket, request, client, signed_in, visit.origin)
        except OAuthError as refused:
            return self._refuse(visit, refused, to)
        if isinstance(outcome, Ask):
            sealed = self.tickets.seal(outcome.ticket, visit.browser.browser_id)
            return see_other(f"{_PATH_OF[outcome.page]}?ticket={sealed}")
        return self._answer(visit, to, {"code": outcome.code})

    def _refuse(self, visit: Visit, refused: OAuthError, to: Answerable) -> Answer:
        visit.request[NOTES].verdict = (refused.rule, refused.hint)
        return self._answer(visit, to, {"error": refused.code, "error_description": refused.description})

    def _answer(self, visit: Visit, to: Answerable, members: Mapping[str, str]) -> Answer:
        """RFC 6749 §4.1.2 with the issuer of RFC 9207, by the mode that was asked for; signed, if that says so."""
        told = {**members, **({"state": to.state} if to.state is not None else {}), "iss": self.issuer}
        if to.mode in SIGNED_MODES:
            told = {"response": self.signed.make(to.client, told)}
        match to.mode:
            case ResponseMode.FORM_POST | ResponseMode.FORM_POST_JWT:
                return self.pages.show(
                    visit,
                    "form_post.html",
                    form_to=[to.redirect_uri],
                    scripts=True,
                    action=to.redirect_uri,
                    members=told,
                )
            case ResponseMode.FRAGMENT:
                return see_other(f"{to.redirect_uri}#{_encoded(told)}")
            case _:
                joint = "&" if "?" in to.redirect_uri else "?"
                return see_other(f"{to.redirect_uri}{joint}{_encoded(told)}")


def _encoded(members: Mapping[str, str]) -> str:
    return urlencode(members, quote_via=quote, safe=_NEVER_ENCODED)
