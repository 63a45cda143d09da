"""``GET`` and ``POST /oauth/logout`` (OpenID Connect RP-Initiated Logout 1.0, Front-Channel Logout 1.0 §3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from authcenter.accounts.sessions import Sessions, SignedIn
from authcenter.authorization.logout import Logout, with_query
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.logout import LogoutRequest
from authcenter.core.session import Session
from authcenter.http.context import NOTES
from authcenter.http.pages.client_face import ClientFace, face_of
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.clients import ClientLookup

PATH = "/oauth/logout"
_POSTED = "posted"
_CONFIRMED = "logout "
"""Before the browser's id in what tickets are bound to: those of logouts and of sign-ins are no use for each other."""
_SECONDS_AFTER_FRAMES = 1
"""Browsers count from when all of the page has loaded, frames included (HTML, shared declarative refresh steps)."""


@dataclass(frozen=True, slots=True)
class LogoutEndpoint:
    """Signs people out: at the request of a client, of a form of ours, or of whoever comes by."""

    logout: Logout
    sessions: Sessions
    tickets: Tickets
    clients: ClientLookup
    pages: Pages

    def mount(self, router: Router) -> None:
        router.add_get(PATH, self.pages.page(self.get), head=False)
        router.add_post(PATH, self.pages.page(self.post, own_forms=False))

    async def get(self, visit: Visit) -> Answer:
        """A request, or one that was posted."""
        if sealed := visit.query.get(_POSTED):
            request = self._opened(sealed, _POSTED)
        else:
            request = await self.logout.check(visit.query)
        visit = self._noted(visit, request)
        signed_in = await self.sessions.current(visit.browser.session_digest)
        if signed_in is not None and await self.logout.must_ask(request, signed_in):
            return await self._ask(visit, request, signed_in)
        held = signed_in.session if signed_in else await self.sessions.held(visit.browser.session_digest)
        return await self._sign_out(visit, request, held)

    async def post(self, visit: Visit) -> Answer:
        """The answer to our question; or a client's request, which comes without the cookie: sent round as a GET."""
        if "csrf" not in visit.form.values:
            request = await self.logout.check(visit.form)
            self._noted(visit, request)
            return see_other(f"{PATH}?{_POSTED}={self._sealed(request, _POSTED)}")
        self.pages.require_own_form(visit)
        if visit.form.get("answer") == "stay":
            return see_other("/account")
        sealed = visit.form.get("ticket")
        request = self._opened(sealed, _CONFIRMED + visit.browser.browser_id) if sealed else LogoutRequest()
        visit = self._noted(visit, request)
        return await self._sign_out(visit, request, await self.sessions.held(visit.browser.session_digest), asked=True)

    def _noted(self, visit: Visit, request: LogoutRequest) -> Visit:
        visit.request[NOTES].client_id = request.client_id
        return self.pages.in_language(visit, request.ui_locales)

    async def _ask(self, visit: Visit, request: LogoutRequest, signed_in: SignedIn) -> Answer:
        return self.pages.show(
            visit,
            "logout.html",
            form_to=[request.redirect_uri] if request.redirect_uri else (),
            ticket=self._sealed(request, _CONFIRMED + visit.browser.browser_id),
            client=await self._client(visit, request),
            user=signed_in.user,
        )

    async def _sign_out(
        self, visit: Visit, request: LogoutRequest, session: Session | None, *, asked: bool = False
    ) -> Answer:
        frames = await self.logout.end(session, visit.origin) if session is not None else ()
        answer = await self._afterwards(visit, request, frames, proven=asked or request.hinted_subject is not None)
        if visit.browser.session is not None:
            self.pages.cookies.sign_out(answer)
        return answer

    async def _afterwards(self, visit: Visit, request: LogoutRequest, frames: Sequence[str], *, proven: bool) -> Answer:
        """To the client at once, or after a page that tells others; to a page where nobody has shown that a person
        wants to go there."""
        state = {"state": request.state} if request.state is not None else {}
        back = with_query(request.redirect_uri, state) if request.redirect_uri is not None else None
        if back is not None and proven and not frames:
            return see_other(back)
        answer = self.pages.show(
            visit,
            "signed_out.html",
            frames=[*dict.fromkeys(map(_origin, frames))],
            told=frames,
            back=back,
            client=await self._client(visit, request),
        )
        if back is not None and proven:
            # Needs no script, and leaves the frames the time to load.
            answer.headers["Refresh"] = f"{_SECONDS_AFTER_FRAMES}; url={back}"
        return answer

    async def _client(self, visit: Visit, request: LogoutRequest) -> ClientFace | None:
        client = await self.clients.find(request.client_id) if request.client_id is not None else None
        return face_of(client, visit.messages.language) if client is not None else None

    def _sealed(self, request: LogoutRequest, bound_to: str) -> str:
        return self.tickets.seal(Ticket("logout", self.tickets.lapse(), logout=request), bound_to)

    def _opened(self, sealed: str, bound_to: str) -> LogoutRequest:
        return self.tickets.open(sealed, bound_to).logout or LogoutRequest()


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"
