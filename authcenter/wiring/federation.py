"""Signing in by identities elsewhere, joined."""

from dataclasses import dataclass

from authcenter.authorization.ticket import Tickets
from authcenter.core.derived import SealingKeys
from authcenter.core.user import User
from authcenter.federation.accounts import FederatedAccounts
from authcenter.federation.calls import ProviderCalls
from authcenter.federation.discovery import IssuerDiscovery
from authcenter.federation.offered import IdentityProviders
from authcenter.federation.openid import OpenIdParts
from authcenter.http.pages.arrival import Arrival
from authcenter.http.pages.departures import Departures
from authcenter.http.pages.federation import FederationPages
from authcenter.http.pages.identities import IdentitiesPage
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages
from authcenter.settings.boot import BootSettings
from authcenter.stores.ports.shared import ReplayCache
from authcenter.stores.remote.fetch import GuardedFetch
from authcenter.telemetry.metrics import Metrics
from authcenter.wiring.core import Core
from authcenter.wiring.keys_of_others import keys_of_others
from authcenter.wiring.limits import Limits


@dataclass(frozen=True, slots=True)
class Federation:
    """The parts.

    Attributes:
        providers: Those that the policy names now; pages to sign in at show them.
    """

    settings: BootSettings
    core: Core
    providers: IdentityProviders
    accounts: FederatedAccounts

    def endpoints(
        self, pages: Pages, tickets: Tickets, own: OwnAccount, arrival: Arrival, metrics: Metrics, replay: ReplayCache
    ) -> tuple[FederationPages, IdentitiesPage]:
        """Its pages."""
        departures = Departures(
            SealingKeys.derive(self.settings.secret_keys, "departure to an identity provider"),
            replay,
            self.core.clock,
            self.settings.issuer,
        )
        return (
            FederationPages(
                pages,
                tickets,
                departures,
                self.providers,
                self.accounts,
                own.sessions,
                own,
                arrival,
                metrics.logins.count,
            ),
            IdentitiesPage(pages, own, tickets, self.providers, self.accounts),
        )


def build_federation(settings: BootSettings, core: Core, limits: Limits, metrics: Metrics) -> Federation:
    """Join them. No request is made before somebody wants to sign in so."""
    policy, clock, users = core.policy, core.clock, core.stores.users

    async def has_password(user: User) -> bool:
        held = await users.find_credentials(user.username)
        return held is not None and held.user.subject == user.subject and bool(held.password_hash)

    # Not the one that fetches for clients: who keeps that busy keeps nobody from signing in.
    remote = GuardedFetch(lambda: policy.current.fetch.allow_private)
    calls = ProviderCalls(remote, plain_loopback=settings.env == "development")
    parts = OpenIdParts(
        calls=calls,
        discovery=IssuerDiscovery(calls, clock),
        keys=keys_of_others(remote, clock, metrics),
        clock=clock,
        leeway=lambda: policy.current.tokens.leeway,
        count_rejected=metrics.id_token_failures.count,
    )
    providers = IdentityProviders(
        policy=lambda: policy.current.identity_providers,
        signup=lambda: policy.current.accounts.signup,
        secrets=settings.provider_secrets,
        parts=parts,
    )
    accounts = FederatedAccounts(core.stores.identities, users, core.letters, clock, has_password, limits.sign_ups)
    return Federation(settings, core, providers, accounts)
