"""``/login/second-factor``: the second proof of a sign-in whose first was given, just now or when the session began."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from msgspec import structs

from authcenter.accounts.passkeys import Passkeys
from authcenter.accounts.second_step import SecondStep, Way
from authcenter.accounts.sessions import ACR_TWO_FACTORS, Sessions
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.errors import ErrorCode, OAuthError, RateLimited
from authcenter.core.second_factor import Factor
from authcenter.http.context import NOTES
from authcenter.http.pages.arrival import SECOND_FACTOR_PATH as PATH
from authcenter.http.pages.arrival import SUCCESS, Arrival
from authcenter.http.pages.client_face import face_of
from authcenter.http.pages.first_proof import First, FirstProof
from authcenter.http.pages.passkey_forms import answered, problem_with_passkey
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.too_often import STATUS, how_long, later
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.clients import ClientLookup

ENROLMENT_PATH = "/account/second-factors"

_Way: TypeAlias = Way | Literal["passkey"]
_WAYS: tuple[_Way, ...] = (*get_args(Way), "passkey")


@dataclass(frozen=True, slots=True)
class SecondFactorPage:
    """Asks for a one-time code, a recovery code or a passkey; opens the session, or raises the one there is.

    Attributes:
        count: Told each failure, for the metrics; and where a session counts for more from now on.
    """

    pages: Pages
    tickets: Tickets
    sessions: Sessions
    first: FirstProof
    step: SecondStep
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
        form = visit.form
        visit, ticket = self._read(visit, form.get("ticket"))
        way = next((one for one in _WAYS if one == form.get("act")), None)
        if form.get("act") == "cancel" and ticket.request is not None:
            return self.arrival.go_on(visit, structs.replace(ticket, consent="denied"))
        first = await self.first.of(visit, ticket)
        if isinstance(first, Answer):
            return first
        return await self._try(visit, ticket, first, way) if way else await self._ask(visit, ticket)

    def _read(self, visit: Visit, sealed: str | None) -> tuple[Visit, Ticket]:
        """The ticket, and the visit in the language that its client asks for."""
        ticket = self.tickets.open(sealed or "", visit.browser.browser_id)
        return self.pages.in_language_of(visit, ticket), ticket

    async def _try(self, visit: Visit, ticket: Ticket, first: First, way: _Way) -> Answer:
        try:
            methods = await self._prove(visit, first, way)
        except RateLimited as limited:
            self.count(limited.rule)
            return later(await self._ask(visit, ticket, how_long(visit, limited), STATUS), limited)
        except OAuthError as refused:
            if refused.code is not ErrorCode.INVALID_GRANT:
                raise
            self.count(refused.rule)
            visit.request[NOTES].verdict = (refused.rule, refused.hint)
            problem = (
                problem_with_passkey(visit, refused.rule)
                if way == "passkey"
                else visit.messages(f"second_factor.problem.{refused.rule}")
            )
            return await self._ask(visit, ticket, problem, 401, way=way)
        return await self._arrive(visit, ticket, first, (*first.amr, *methods))

    async def _prove(self, visit: Visit, first: First, way: _Way) -> Sequence[str]:
        if way == "passkey":
            return await self.passkeys.prove(first.user, answered(visit), visit.origin)
        typed, language = visit.form.get("code") or "", visit.messages.language
        return await self.step.prove(first.user, typed, language, visit.origin, way)

    async def _arrive(self, visit: Visit, ticket: Ticket, first: First, amr: tuple[str, ...]) -> Answer:
        if first.session is None:
            before = await self.sessions.current(visit.browser.session_digest)
            return await self.arrival.arrive(visit, ticket, first.user, before, amr=amr, acr=ACR_TWO_FACTORS)
        answer = self.arrival.go_on(visit, ticket)
        if not await self.arrival.raise_session(visit, answer, first.session, amr=amr):
            return self.first.again(visit, ticket, "the session was ended meanwhile")
        self.count(SUCCESS)
        return answer

    async def _ask(
        self, visit: Visit, ticket: Ticket, problem: str = "", status: int = 200, way: _Way = "code"
    ) -> Answer:
        first = await self.first.of(visit, ticket)
        if isinstance(first, Answer):
            return first
        if first.session is not None and first.session.acr == ACR_TWO_FACTORS:
            return self.arrival.go_on(visit, ticket)
        held = await self.step.factors.kinds(first.user)
        sealed = self.tickets.seal(ticket, visit.browser.browser_id)
        if not held:
            # Somebody who has none can only be asked for one that they add now; that takes a session.
            none_left = self.first.again(visit, ticket, f"{first.user.subject} has no second factor any more")
            return see_other(f"{ENROLMENT_PATH}?ticket={sealed}") if first.session is not None else none_left
        request = ticket.request
        client = await self.clients.find(request.client_id) if request else None
        by_passkey = Factor.PASSKEY in held and self.passkeys.party.has_name
        question = await self.passkeys.to_prove(first.user, visit.browser.browser_id) if by_passkey else None
        return self.pages.show(
            visit,
            "second_factor.html",
            status=status,
            scripts=question is not None,
            form_to=[request.redirect_uri] if request else (),
            ticket=sealed,
            client=face_of(client, visit.messages.language) if client else None,
            user=first.user,
            totp=Factor.TOTP in held,
            question=question,
            way=way,
            problem=problem,
        )
