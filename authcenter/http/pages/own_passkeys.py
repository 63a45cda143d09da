"""``/account/passkeys``: a person's passkeys, added and taken away by who proved lately who they are."""

from dataclasses import dataclass

from msgspec import structs

from authcenter.accounts.passkeys import LONGEST_NAME, Passkeys, clean_name
from authcenter.accounts.sessions import ACR_TWO_FACTORS, SignedIn
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core import base64url
from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.passkey import MOST_PASSKEYS
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES
from authcenter.http.pages.arrival import Arrival
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.passkey_forms import answered, problem_with_passkey
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

PATH = "/account/passkeys"


@dataclass(frozen=True, slots=True)
class OwnPasskeysPage:
    """Lists them; adds one by the page's script, removes one by a form.

    With a ticket it is on the way of a sign-in that needs a second factor, and goes on there in the end.
    """

    pages: Pages
    tickets: Tickets
    own: OwnAccount
    passkeys: Passkeys
    arrival: Arrival

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        visit, ticket = self._read(visit, visit.query.get("ticket"))
        signed_in = await self.own.open(visit, PATH, lately=True, ticket=ticket)
        return signed_in if isinstance(signed_in, Answer) else await self._show(visit, ticket, signed_in)

    async def post(self, visit: Visit) -> Answer:
        visit, ticket = self._read(visit, visit.form.get("ticket"))
        if visit.form.get("act") == "cancel" and ticket is not None and ticket.request is not None:
            return self.arrival.go_on(visit, structs.replace(ticket, consent="denied"))
        signed_in = await self.own.open(visit, PATH, lately=True, ticket=ticket)
        if isinstance(signed_in, Answer):
            return signed_in
        match visit.form.get("act"):
            case "add":
                return await self._add(visit, ticket, signed_in)
            case "remove":
                return await self._remove(visit, ticket, signed_in)
            case _:
                return await self._show(visit, ticket, signed_in)

    async def _add(self, visit: Visit, ticket: Ticket | None, signed_in: SignedIn) -> Answer:
        user, session, language = signed_in.user, signed_in.session, visit.messages.language
        name = clean_name(visit.form.get("name") or "", visit.messages("passkeys.unnamed"))
        try:
            codes, methods = await self.passkeys.add(user, name, answered(visit), language, visit.origin)
        except OAuthError as refused:
            if refused.code is not ErrorCode.INVALID_GRANT:
                raise
            visit.request[NOTES].verdict = (refused.rule, refused.hint)
            return await self._show(visit, ticket, signed_in, problem_with_passkey(visit, refused.rule), 401)
        on = self.arrival.way_on(visit, ticket) if ticket else PATH
        answer = self.pages.show(visit, "recovery_codes.html", codes=codes, on=on) if codes else see_other(on)
        if session.acr != ACR_TWO_FACTORS:
            # Where somebody ended it meanwhile the codes are shown all the same: nobody can show them again.
            await self.arrival.raise_session(visit, answer, session, amr=(*session.amr, *methods))
        return answer

    async def _remove(self, visit: Visit, ticket: Ticket | None, signed_in: SignedIn) -> Answer:
        try:
            credential_id = base64url.decode(visit.form.get("passkey") or "")
        except ValueError:
            return see_other(self._path(visit, ticket))
        try:
            await self.passkeys.remove(signed_in.user, credential_id, visit.messages.language, visit.origin)
        except OAuthError as refused:
            if refused.rule is not Rule.PASSKEY_LAST:
                raise
            visit.request[NOTES].verdict = (refused.rule, refused.hint)
            return await self._show(visit, ticket, signed_in, visit.messages("passkeys.last"), refused.status)
        return see_other(self._path(visit, ticket))

    def _read(self, visit: Visit, sealed: str | None) -> tuple[Visit, Ticket | None]:
        """The ticket, and the visit in the language that its client asks for."""
        ticket = self.tickets.open(sealed, visit.browser.browser_id) if sealed else None
        request = ticket.request if ticket else None
        return self.pages.in_language(visit, request.ui_locales if request else ()), ticket

    def _path(self, visit: Visit, ticket: Ticket | None) -> str:
        return f"{PATH}?ticket={self.tickets.seal(ticket, visit.browser.browser_id)}" if ticket else PATH

    async def _show(
        self, visit: Visit, ticket: Ticket | None, signed_in: SignedIn, problem: str = "", status: int = 200
    ) -> Answer:
        request = ticket.request if ticket else None
        held = await self.passkeys.list_of(signed_in.user)
        possible, room = self.passkeys.party.has_name, len(held) < MOST_PASSKEYS
        return self.pages.show(
            visit,
            "passkeys.html",
            status=status,
            scripts=True,
            form_to=[request.redirect_uri] if request else (),
            ticket=self.tickets.seal(ticket, visit.browser.browser_id) if ticket else "",
            asked=request is not None,
            passkeys=[(base64url.encode(one.credential_id), one) for one in held],
            possible=possible,
            room=room,
            question=await self.passkeys.to_add(signed_in.user, visit.browser.browser_id)
            if possible and room
            else None,
            most=MOST_PASSKEYS,
            longest=LONGEST_NAME,
            problem=problem,
        )
