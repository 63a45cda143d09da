"""``/device``: the code that a device shows, what the device asks for, and the person's answer (RFC 8628 §3.3)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from authcenter.accounts.sessions import Sessions, SignedIn
from authcenter.authorization.devices import DeviceAuthorizations
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.client import Client
from authcenter.core.device import DeviceAuthorization
from authcenter.core.errors import OAuthError, RateLimited, invalid_request
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES
from authcenter.http.device_authorization import VERIFICATION_PATH
from authcenter.http.pages.client_face import face_of
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.too_often import STATUS, how_long, later
from authcenter.http.pages.visit import Visit
from authcenter.http.pages.wishes import wishes
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.limits.logins import LoginLimits
from authcenter.stores.ports.clients import ClientLookup, ResourceLookup
from authcenter.tokens.device_codes import read_user_code

_APPROVES = {"allow": True, "deny": False}
_Asked = tuple[DeviceAuthorization, Client]


@dataclass(frozen=True, slots=True)
class DevicePage:
    """Asks for the code, for a sign-in, and for an answer.

    Only who is signed in learns whether a code is right: wrong ones are counted by person and by address.

    Attributes:
        limits: Slots for wrong codes.
    """

    pages: Pages
    tickets: Tickets
    sessions: Sessions
    devices: DeviceAuthorizations
    clients: ClientLookup
    resources: ResourceLookup
    limits: LoginLimits

    def mount(self, router: Router) -> None:
        self.pages.mount(router, VERIFICATION_PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        sealed = visit.query.get("ticket")
        if sealed is None:
            # Whoever sent the link may have chosen the code: nothing happens before a button is pressed.
            return self._form(visit, visit.query.get("user_code") or "")
        user_code = self._opened(visit, sealed)
        signed_in = await self.sessions.current(visit.browser.session_digest)
        if signed_in is None:
            return see_other(f"/login?ticket={self._sealed(visit, user_code)}")
        return await self._limited(visit, user_code, signed_in, lambda asked: self._ask(visit, user_code, *asked))

    async def post(self, visit: Visit) -> Answer:
        answer = visit.form.get("answer")
        if answer is None:
            typed = visit.form.get("user_code") or ""
            user_code = read_user_code(typed)
            if user_code is None:
                return self._form(visit, typed, visit.messages("device.wrong"), 400)
            return see_other(f"{VERIFICATION_PATH}?ticket={self._sealed(visit, user_code)}")
        user_code = self._opened(visit, visit.form.get("ticket") or "")
        signed_in = await self.sessions.current(visit.browser.session_digest)
        # Another person than the one whom the page asked may have signed in meanwhile: that one is asked first.
        if answer not in _APPROVES or signed_in is None or signed_in.user.subject != visit.form.get("person"):
            return see_other(f"{VERIFICATION_PATH}?ticket={self._sealed(visit, user_code)}")

        async def decide(asked: _Asked) -> Answer:
            device, client = asked
            approved = _APPROVES[answer]
            if not await self.devices.answer(device, client, signed_in, visit.origin, approved=approved):
                raise _unknown("answered or lapsed meanwhile")
            face = face_of(client, visit.messages.language)
            return self.pages.show(visit, "device_done.html", client=face, approved=approved)

        return await self._limited(visit, user_code, signed_in, decide)

    async def _limited(
        self, visit: Visit, user_code: str, signed_in: SignedIn, on: Callable[[_Asked], Awaitable[Answer]]
    ) -> Answer:
        """Go on with what waits under ``user_code``; wrong, used and lapsed codes are all told the same."""
        try:
            async with self.limits.attempt(visit.origin.ip, signed_in.user.subject):
                return await on(await self._find(user_code))
        except RateLimited as limited:
            return later(self._form(visit, "", how_long(visit, limited), STATUS), limited)
        except OAuthError as refused:
            visit.request[NOTES].verdict = (refused.rule, refused.hint)
            return self._form(visit, user_code, visit.messages("device.wrong"), 400)

    async def _find(self, user_code: str) -> _Asked:
        device = await self.devices.find(user_code)
        if device is None:
            raise _unknown("nothing waits under it")
        client = await self.clients.find(device.client_id)
        if client is None or client.disabled_at is not None:
            raise _unknown(f"{device.client_id} is {'disabled' if client else 'gone'}")
        return device, client

    async def _ask(self, visit: Visit, user_code: str, device: DeviceAuthorization, client: Client) -> Answer:
        signed_in = await self.sessions.current(visit.browser.session_digest)
        if signed_in is None:
            return see_other(f"/login?ticket={self._sealed(visit, user_code)}")
        face = face_of(client, visit.messages.language)
        return self.pages.show(
            visit,
            "device_confirm.html",
            images=[face.logo],
            ticket=self._sealed(visit, user_code),
            user_code=user_code,
            client=face,
            user=signed_in.user,
            wishes=await wishes(visit.messages, self.resources, device.audience, device.scope),
        )

    def _form(self, visit: Visit, user_code: str, problem: str = "", status: int = 200) -> Answer:
        shown = read_user_code(user_code) or user_code[:32]
        return self.pages.show(visit, "device.html", status=status, user_code=shown, problem=problem)

    def _opened(self, visit: Visit, sealed: str) -> str:
        ticket = self.tickets.open(sealed, visit.browser.browser_id)
        if ticket.destination != "device" or ticket.user_code is None:
            raise invalid_request(Rule.TICKET_INVALID, "This sign-in is no longer valid. Start again.", "no user code")
        return ticket.user_code

    def _sealed(self, visit: Visit, user_code: str) -> str:
        return self.tickets.seal(Ticket("device", self.tickets.lapse(), user_code=user_code), visit.browser.browser_id)


def _unknown(hint: str) -> OAuthError:
    return invalid_request(Rule.USER_CODE_UNKNOWN, "The code is not valid.", hint)
