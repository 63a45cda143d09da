"""``/federation/{provider}``: off to an identity provider; ``…/callback``: back from it, and signed in or linked."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import structs

from authcenter.accounts.sessions import Sessions
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.errors import ErrorCode, OAuthError, RateLimited
from authcenter.core.rules import Rule
from authcenter.federation.accounts import Circumstances, FederatedAccounts
from authcenter.federation.offered import IdentityProviders, Offered
from authcenter.federation.provider import Answered, Attempt, Declined
from authcenter.http.context import NOTES
from authcenter.http.pages import too_often
from authcenter.http.pages.arrival import Arrival
from authcenter.http.pages.departures import Departures
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

START = "/federation/"
IDENTITIES = "/account/identities"
_CALLBACK = "/callback"
_AMR = "fed"


@dataclass(frozen=True, slots=True)
class FederationPages:
    """Takes people to a provider and back.

    Attributes:
        count: Told each failed sign-in, for the metrics.
    """

    pages: Pages
    tickets: Tickets
    departures: Departures
    providers: IdentityProviders
    accounts: FederatedAccounts
    sessions: Sessions
    own: OwnAccount
    arrival: Arrival
    count: Callable[[str], None]

    def mount(self, router: Router) -> None:
        # GET alone: a HEAD that nobody reads the answer of would spend the state.
        router.add_subtree(f"{START}{{provider}}", self.pages.page(self.get), "GET")

    async def get(self, visit: Visit) -> Answer:
        path = visit.request.path.removeprefix(START)
        name = path.removesuffix(_CALLBACK)
        provider = self.providers.about(name)
        return await (self._back(visit, provider) if path.endswith(_CALLBACK) else self._leave(visit, provider))

    async def _leave(self, visit: Visit, provider: Offered) -> Answer:
        sealed = visit.query.get("ticket")
        if sealed is None:
            # Only by a button of ours: else any site could have somebody signed in, or an account opened for them.
            return see_other("/login")
        ticket = self.tickets.open(sealed, visit.browser.browser_id)
        if ticket.links is not None:
            signed_in = await self.own.open(visit, IDENTITIES, lately=True)
            if isinstance(signed_in, Answer):
                return signed_in
        try:
            attempt = self.departures.begin(provider.name, ticket, visit.browser.browser_id)
            return see_other(await self.providers.find(provider.name).address(attempt))
        except OAuthError as refused:
            return self._problem(visit, provider, ticket, refused)

    async def _back(self, visit: Visit, provider: Offered) -> Answer:
        query, browser = visit.query, visit.browser.browser_id
        attempt, ticket = await self.departures.end(provider.name, query.get("state"), browser)
        answered = Answered(query.get("code"), query.get("iss"), query.get("error"))
        try:
            return await self._settle(visit, provider, ticket, attempt, answered)
        except Declined:
            return see_other(self._way_back(visit, ticket))
        except OAuthError as refused:
            return self._problem(visit, provider, ticket, refused)

    async def _settle(
        self, visit: Visit, provider: Offered, ticket: Ticket, attempt: Attempt, answered: Answered
    ) -> Answer:
        told = await self.providers.find(provider.name).identify(attempt, answered)
        at = Circumstances(visit.origin, visit.messages.language)
        before = await self.sessions.current(visit.browser.session_digest)
        if ticket.links is not None:
            if before is None or before.user.subject != ticket.links:
                raise _other_person("somebody else, or nobody, is signed in now")
            await self.accounts.link(before.user, told, provider, at)
            return see_other(IDENTITIES)
        user = await self.accounts.find_or_create_user(told, provider, at)
        return await self.arrival.arrive(visit, ticket, user, before, amr=[_AMR])

    def _way_back(self, visit: Visit, ticket: Ticket) -> str:
        if ticket.links is not None:
            return IDENTITIES
        again = structs.replace(ticket, expires_at=max(ticket.expires_at, self.tickets.lapse()))
        return f"/login?ticket={self.tickets.seal(again, visit.browser.browser_id)}"

    def _problem(self, visit: Visit, provider: Offered, ticket: Ticket, refused: OAuthError) -> Answer:
        """What went wrong, and the way to try another time or another way."""
        if ticket.links is None:
            self.count(refused.rule)
        visit.request[NOTES].verdict = (refused.rule, refused.hint)
        said = visit.messages.get(f"federation.{refused.rule}") or visit.messages("federation.other")
        title = "federation.problem" if ticket.links is None else "federation.problem_linking"
        onward = Ticket("account", self.tickets.lapse(), page=IDENTITIES)
        links_later = refused.rule in {Rule.IDENTITY_ADDRESS, Rule.IDENTITY_UNVERIFIED, Rule.IDENTITY_STRANGER}
        link_first = f"/login?ticket={self.tickets.seal(onward, visit.browser.browser_id)}" if links_later else ""
        answer = self.pages.show(
            visit,
            "federation_problem.html",
            status=refused.status,
            message=said.format(provider=provider.title),
            title=visit.messages(title, provider=provider.title),
            back=self._way_back(visit, ticket),
            linking=ticket.links is not None,
            link_first=link_first,
        )
        if isinstance(refused, RateLimited):
            return too_often.later(answer, refused)
        return answer


def _other_person(hint: str) -> OAuthError:
    description = "Another person is signed in now."
    return OAuthError(ErrorCode.ACCESS_DENIED, description, rule=Rule.IDENTITY_OTHER_PERSON, hint=hint, status=409)
