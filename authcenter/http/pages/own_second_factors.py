"""``/account/second-factors``: what a person has of them, added and taken away by who proved lately who they are."""

from base64 import b64encode
from dataclasses import dataclass

from msgspec import structs

from authcenter.accounts.second_step import OTP_METHODS, SecondStep
from authcenter.accounts.sessions import ACR_TWO_FACTORS, SignedIn
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.errors import ErrorCode, OAuthError, RateLimited
from authcenter.http.context import NOTES
from authcenter.http.pages import too_often
from authcenter.http.pages.arrival import Arrival
from authcenter.http.pages.client_face import face_of
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.second_factor import ENROLMENT_PATH as PATH
from authcenter.http.pages.visit import Visit
from authcenter.http.qr import qr_svg
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.clients import ClientLookup


@dataclass(frozen=True, slots=True)
class OwnSecondFactorsPage:
    """Lists them; sets up an app in two steps; shows new recovery codes once.

    With a ticket it is on the way of a sign-in that needs a second factor, and goes on there in the end.
    """

    pages: Pages
    tickets: Tickets
    own: OwnAccount
    step: SecondStep
    clients: ClientLookup
    arrival: Arrival

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        ticket = self._ticket(visit, visit.query.get("ticket"))
        signed_in = await self.own.open(visit, PATH, lately=True, ticket=ticket)
        if isinstance(signed_in, Answer):
            return signed_in
        if visit.query.get("setup"):
            return await self._setup(visit, ticket, signed_in)
        return await self._overview(visit, ticket, signed_in)

    async def post(self, visit: Visit) -> Answer:
        ticket = self._ticket(visit, visit.form.get("ticket"))
        if visit.form.get("act") == "cancel" and ticket is not None and ticket.request is not None:
            return self.arrival.go_on(visit, structs.replace(ticket, consent="denied"))
        signed_in = await self.own.open(visit, PATH, lately=True, ticket=ticket)
        if isinstance(signed_in, Answer):
            return signed_in
        return await self._act(visit, ticket, signed_in)

    async def _act(self, visit: Visit, ticket: Ticket | None, signed_in: SignedIn) -> Answer:
        user, language = signed_in.user, visit.messages.language
        match visit.form.get("act"):
            case "begin":
                begun = await self.step.factors.begin(user)
                return see_other(self._path(visit, ticket, setup=begun))
            case "confirm":
                return await self._confirm(visit, ticket, signed_in)
            case "renew":
                codes = await self.step.factors.renew_codes(user, language, visit.origin)
                return self._codes(visit, ticket, codes) if codes else see_other(self._path(visit, ticket))
            case "remove":
                await self.step.factors.remove_totp(user, language, visit.origin)
                return see_other(self._path(visit, ticket))
            case _:
                return await self._overview(visit, ticket, signed_in)

    async def _confirm(self, visit: Visit, ticket: Ticket | None, signed_in: SignedIn) -> Answer:
        typed, language = visit.form.get("code") or "", visit.messages.language
        try:
            codes = await self.step.confirm(signed_in.user, typed, language, visit.origin)
        except RateLimited as limited:
            minutes = too_often.minutes(visit, limited)
            answer = await self._setup(visit, ticket, signed_in, "login.limited", too_often.STATUS, minutes=minutes)
            return too_often.later(answer, limited)
        except OAuthError as refused:
            if refused.code is not ErrorCode.INVALID_GRANT:
                raise
            visit.request[NOTES].verdict = (refused.rule, refused.hint)
            return await self._setup(visit, ticket, signed_in, f"second_factor.problem.{refused.rule}", 401)
        answer, session = self._codes(visit, ticket, codes), signed_in.session
        if session.acr != ACR_TWO_FACTORS:
            # Where somebody ended it meanwhile the codes are shown all the same: nobody can show them again.
            await self.arrival.raise_session(visit, answer, session, amr=(*session.amr, *OTP_METHODS))
        return answer

    def _ticket(self, visit: Visit, sealed: str | None) -> Ticket | None:
        return self.tickets.open(sealed, visit.browser.browser_id) if sealed else None

    def _path(self, visit: Visit, ticket: Ticket | None, *, setup: bool = False) -> str:
        sealed = self.tickets.seal(ticket, visit.browser.browser_id) if ticket else ""
        query = [*(["setup=1"] if setup else []), *([f"ticket={sealed}"] if sealed else [])]
        return f"{PATH}?{'&'.join(query)}" if query else PATH

    async def _overview(self, visit: Visit, ticket: Ticket | None, signed_in: SignedIn) -> Answer:
        request = ticket.request if ticket else None
        visit = self.pages.in_language_of(visit, ticket)
        client = await self.clients.find(request.client_id) if request else None
        return self.pages.show(
            visit,
            "second_factors.html",
            form_to=[request.redirect_uri] if request else (),
            ticket=self.tickets.seal(ticket, visit.browser.browser_id) if ticket else "",
            client=face_of(client, visit.messages.language) if client else None,
            standing=await self.step.factors.standing(signed_in.user),
        )

    async def _setup(
        self,
        visit: Visit,
        ticket: Ticket | None,
        signed_in: SignedIn,
        problem: str = "",
        status: int = 200,
        **about: object,
    ) -> Answer:
        begun = await self.step.factors.begun(signed_in.user)
        if begun is None:
            return see_other(self._path(visit, ticket))
        visit = self.pages.in_language_of(visit, ticket)
        return self.pages.show(
            visit,
            "second_factor_setup.html",
            status=status,
            ticket=self.tickets.seal(ticket, visit.browser.browser_id) if ticket else "",
            back=self._path(visit, ticket),
            qr=b64encode(qr_svg(begun.uri)).decode(),
            uri=begun.uri,
            secret=[begun.secret[start : start + 4] for start in range(0, len(begun.secret), 4)],
            problem=visit.messages(problem, **about) if problem else "",
        )

    def _codes(self, visit: Visit, ticket: Ticket | None, codes: list[str]) -> Answer:
        visit = self.pages.in_language_of(visit, ticket)
        on = self.arrival.way_on(visit, ticket) if ticket else PATH
        return self.pages.show(visit, "recovery_codes.html", codes=codes, on=on)
