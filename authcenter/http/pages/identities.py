"""``/account/identities``: by which identities elsewhere people sign in to their account; more of them, or fewer."""

from dataclasses import dataclass

from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.errors import OAuthError
from authcenter.core.rules import Rule
from authcenter.federation.accounts import Circumstances, FederatedAccounts
from authcenter.federation.offered import IdentityProviders
from authcenter.http.context import NOTES
from authcenter.http.pages.federation import IDENTITIES
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router


@dataclass(frozen=True, slots=True)
class IdentitiesPage:
    """Shows them; links by a trip to the provider, unlinks by a form."""

    pages: Pages
    own: OwnAccount
    tickets: Tickets
    providers: IdentityProviders
    accounts: FederatedAccounts

    def mount(self, router: Router) -> None:
        self.pages.mount(router, IDENTITIES, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        return await self._show(visit)

    async def post(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, IDENTITIES, lately=True)
        if isinstance(signed_in, Answer):
            return signed_in
        provider, subject = visit.form.get("provider") or "", visit.form.get("identity") or ""
        at = Circumstances(visit.origin, visit.messages.language)
        try:
            await self.accounts.unlink(signed_in.user, provider, subject, self.providers.offered(), at)
        except OAuthError as refused:
            if refused.rule is not Rule.IDENTITY_LAST:
                raise
            visit.request[NOTES].verdict = (refused.rule, refused.hint)
            return await self._show(visit, problem="identities.last", status=refused.status)
        return see_other(IDENTITIES)

    async def _show(self, visit: Visit, *, problem: str = "", status: int = 200) -> Answer:
        signed_in = await self.own.open(visit, IDENTITIES)
        if isinstance(signed_in, Answer):
            return signed_in
        offered = self.providers.offered()
        identities = await self.accounts.list_of(signed_in.user.subject)
        linked = {identity.provider for identity in identities}
        links = Ticket("account", self.tickets.lapse(), page=IDENTITIES, links=signed_in.user.subject)
        return self.pages.show(
            visit,
            "identities.html",
            status=status,
            identities=identities,
            titles={each.name: each.title for each in offered},
            providers=[each for each in offered if each.name not in linked],
            ticket=self.tickets.seal(links, visit.browser.browser_id),
            problem=visit.messages(problem) if problem else "",
        )
