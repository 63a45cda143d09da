"""What the pages and the interactive endpoints are joined from: each part made once, when it is first asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from authcenter.accounts.known_browsers import KnownBrowsers
from authcenter.accounts.own_sessions import OwnSessions
from authcenter.accounts.passkeys import Passkeys
from authcenter.accounts.personal_data import PersonalData
from authcenter.accounts.profile import Profiles
from authcenter.accounts.second_step import SecondStep
from authcenter.accounts.sessions import Sessions
from authcenter.accounts.sign_in import PasswordSignIn
from authcenter.audit.grouped import GroupedAudit
from authcenter.authorization.ticket import Tickets
from authcenter.clients.authentication import ClientAuthentication
from authcenter.clients.keys import ClientKeys
from authcenter.clients.quota import TokenQuota
from authcenter.clients.registration import ClientRegistration
from authcenter.core.derived import MacKeys, SealingKeys
from authcenter.http.api.own_token import OwnTokens
from authcenter.http.cors import ClientCors
from authcenter.http.pages.arrival import Arrival
from authcenter.http.pages.browser import BrowserCookies
from authcenter.http.pages.messages import Catalogue, load_catalogue
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages, page_environment
from authcenter.http.router import Router
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.settings.boot import BootSettings
from authcenter.stores.ports.accounts import UserLookup
from authcenter.stores.ports.clients import ClientLookup, ResourceLookup
from authcenter.stores.ports.sessions import SessionLookup
from authcenter.stores.ports.shared import ReplayCache
from authcenter.stores.remote.fetch import GuardedFetch
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.tokens.token_owners import TokenOwners
from authcenter.wiring.core import Core
from authcenter.wiring.federation import Federation, build_federation
from authcenter.wiring.keys_of_others import keys_of_others
from authcenter.wiring.limits import Limits
from authcenter.wiring.passkeys import build_passkeys
from authcenter.wiring.sign_in import build_second_step


class Endpoint(Protocol):
    """Mounts its paths."""

    def mount(self, router: Router) -> None: ...


@dataclass(frozen=True)
class InteractiveParts:
    """What the endpoints are joined from; the look-ups are caches."""

    settings: BootSettings
    core: Core
    clients: ClientLookup
    resources: ResourceLookup
    users: UserLookup
    session_lookup: SessionLookup
    limits: Limits
    cors: ClientCors
    metrics: Metrics
    log: Logger
    authentication: ClientAuthentication
    quota: TokenQuota
    replay: ReplayCache
    audit: GroupedAudit
    sign_in: PasswordSignIn
    forget_session: Callable[[str], None] = lambda _: None
    forget_user: Callable[[str], None] = lambda _: None
    forget_client: Callable[[str], None] = lambda _: None

    @cached_property
    def catalogue(self) -> Catalogue:
        return load_catalogue()

    @cached_property
    def pages(self) -> Pages:
        return Pages(
            environment=page_environment(),
            catalogue=self.catalogue,
            cookies=BrowserCookies(secure=self.settings.issuer.startswith("https:")),
            csrf=MacKeys.derive(self.settings.secret_keys, "csrf"),
            brand=lambda: self.core.policy.current.brand,
            issuer=self.settings.issuer,
            log=self.log,
        )

    @cached_property
    def tickets(self) -> Tickets:
        return Tickets(SealingKeys.derive(self.settings.secret_keys, "unfinished sign-in"), self.core.clock)

    @cached_property
    def sessions(self) -> Sessions:
        core = self.core
        return Sessions(
            store=core.stores.sessions,
            lookup=self.session_lookup,
            users=self.users,
            policy=lambda: core.policy.current.sessions,
            replica=lambda: core.revocations.replica,
            clock=core.clock,
            longest_token=LONGEST_TOKEN + core.lifetimes.leeway,
            forget=self.forget_session,
        )

    @cached_property
    def arrival(self) -> Arrival:
        core = self.core
        return Arrival(
            tickets=self.tickets,
            sessions=self.sessions,
            cookies=self.pages.cookies,
            policy=lambda: core.policy.current.sessions,
            factors=core.second_factors,
            browsers=self.browsers,
            clock=core.clock,
            count=self.metrics.logins.count,
        )

    @cached_property
    def browsers(self) -> KnownBrowsers:
        return KnownBrowsers(SealingKeys.derive(self.settings.secret_keys, "known browser"), self.core.clock)

    @cached_property
    def own_sessions(self) -> OwnSessions:
        return OwnSessions(self.sessions)

    @cached_property
    def second_step(self) -> SecondStep:
        return build_second_step(self.core, self.limits, self.sign_in)

    @cached_property
    def passkeys(self) -> Passkeys:
        return build_passkeys(self.settings, self.core, self.second_step.tries, self.replay, self.federation)

    @cached_property
    def own_account(self) -> OwnAccount:
        return OwnAccount(self.sessions, self.tickets, self.core.clock, self.core.second_factors)

    @cached_property
    def profiles(self) -> Profiles:
        return Profiles(self.core.accounts)

    @cached_property
    def personal_data(self) -> PersonalData:
        core, stores = self.core, self.core.stores
        return PersonalData(
            accounts=core.accounts,
            consents=stores.consents,
            sessions=stores.sessions,
            persons=stores.persons,
            audit=stores.audit,
            issuer=self.settings.issuer,
            clock=core.clock,
        )

    @cached_property
    def token_owners(self) -> TokenOwners:
        core = self.core
        return TokenOwners(core.verifier, core.families, core.stores.users, self.clients, self.settings.issuer)

    @cached_property
    def own_tokens(self) -> OwnTokens:
        return OwnTokens(self.token_owners, self.metrics)

    @cached_property
    def federation(self) -> Federation:
        return build_federation(self.settings, self.core, self.limits, self.metrics)

    @cached_property
    def fetch(self) -> GuardedFetch:
        return GuardedFetch(lambda: self.core.policy.current.fetch.allow_private)

    @cached_property
    def client_keys(self) -> ClientKeys:
        return keys_of_others(self.fetch, self.core.clock, self.metrics)

    @cached_property
    def registration(self) -> ClientRegistration:
        return ClientRegistration(
            clients=self.core.clients,
            initial_tokens=self.core.initial_tokens,
            fetch=self.fetch,
            policy=lambda: self.core.policy.current,
            macs=MacKeys.derive(self.settings.secret_keys, "registration access token"),
            attempts=self.limits.client_failures,
        )
