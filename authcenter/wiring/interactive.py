"""What people meet, joined: pages, sessions, and the endpoints that end on a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from authcenter.accounts.claims import claims_of, claims_of_scope
from authcenter.accounts.known_browsers import KnownBrowsers
from authcenter.accounts.own_sessions import OwnSessions
from authcenter.accounts.passkeys import Passkeys
from authcenter.accounts.personal_data import PersonalData
from authcenter.accounts.profile import Profiles
from authcenter.accounts.second_step import SecondStep
from authcenter.accounts.sessions import Sessions
from authcenter.accounts.sign_in import PasswordSignIn
from authcenter.audit.grouped import GroupedAudit
from authcenter.authorization.checks import AuthorizationChecks
from authcenter.authorization.consents import Consents
from authcenter.authorization.decision import AuthorizationDecision
from authcenter.authorization.devices import DeviceAuthorizations
from authcenter.authorization.hints import IdTokenHints
from authcenter.authorization.logout import Logout
from authcenter.authorization.pushed import PushedRequests
from authcenter.authorization.reading import RequestReader
from authcenter.authorization.request_objects import RequestObjects
from authcenter.authorization.signed_response import SignedResponses
from authcenter.authorization.subjects import ClientSubjects
from authcenter.authorization.ticket import Tickets
from authcenter.clients.authentication import ClientAuthentication
from authcenter.clients.keys import ClientKeys
from authcenter.clients.quota import TokenQuota
from authcenter.clients.registration import ClientRegistration
from authcenter.core.derived import MacKeys, SealingKeys
from authcenter.http.api.me import MeEndpoint
from authcenter.http.api.own_token import OwnTokens
from authcenter.http.api.sessions import SessionsApi
from authcenter.http.authorize import AuthorizationEndpoint
from authcenter.http.cors import ClientCors
from authcenter.http.device_authorization import DeviceAuthorizationEndpoint
from authcenter.http.device_qr import DeviceQrEndpoint
from authcenter.http.logout import LogoutEndpoint
from authcenter.http.pages.account import AccountPage
from authcenter.http.pages.account_data import DownloadPage
from authcenter.http.pages.account_deletion import DeletionPage
from authcenter.http.pages.account_sessions import AccountSessionsPage
from authcenter.http.pages.arrival import Arrival
from authcenter.http.pages.brand import BrandStyle
from authcenter.http.pages.browser import BrowserCookies
from authcenter.http.pages.consent import ConsentPage
from authcenter.http.pages.device import DevicePage
from authcenter.http.pages.first_proof import FirstProof
from authcenter.http.pages.login import LoginPage
from authcenter.http.pages.login_sessions import LoginSessionsPage
from authcenter.http.pages.messages import Catalogue, load_catalogue
from authcenter.http.pages.nowhere import Nowhere
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.own_passkeys import OwnPasskeysPage
from authcenter.http.pages.own_second_factors import OwnSecondFactorsPage
from authcenter.http.pages.passkey_sign_in import PasskeySignInPage
from authcenter.http.pages.profile import ProfilePage
from authcenter.http.pages.rendering import Pages, page_environment
from authcenter.http.pages.second_factor import SecondFactorPage
from authcenter.http.pages.static import load_static_files
from authcenter.http.pushed import PushedRequestEndpoint
from authcenter.http.register import RegistrationEndpoint
from authcenter.http.router import Router
from authcenter.http.userinfo import UserInfoEndpoint
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.settings.boot import BootSettings
from authcenter.stores.ports.accounts import UserLookup
from authcenter.stores.ports.clients import ClientLookup, ResourceLookup
from authcenter.stores.ports.sessions import SessionLookup
from authcenter.stores.ports.shared import ReplayCache
from authcenter.stores.remote.fetch import GuardedFetch
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.tokens.device_codes import UserCodeDigests
from authcenter.tokens.token_owners import TokenOwners
from authcenter.tokens.user_info import UserInfo
from authcenter.wiring.core import Core
from authcenter.wiring.federation import Federation, build_federation
from authcenter.wiring.keys_of_others import keys_of_others
from authcenter.wiring.limits import Limits
from authcenter.wiring.passkeys import build_passkeys
from authcenter.wiring.recovery import recovery_endpoints
from authcenter.wiring.sign_up import sign_up_endpoints

ACCOUNT_SECTIONS: tuple[str, ...] = (
    "profile",
    "address",
    "password",
    "second-factors",
    "passkeys",
    "identities",
    "sessions",
    "download",
    "delete",
)
"""The pages under ``/account``, in the order in which it lists them."""


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
        )

    @cached_property
    def browsers(self) -> KnownBrowsers:
        return KnownBrowsers(SealingKeys.derive(self.settings.secret_keys, "known browser"), self.core.clock)

    @cached_property
    def own_sessions(self) -> OwnSessions:
        return OwnSessions(self.sessions)

    @cached_property
    def second_step(self) -> SecondStep:
        return SecondStep(self.core.second_factors, self.limits.second_factors)

    @cached_property
    def passkeys(self) -> Passkeys:
        return build_passkeys(self.settings, self.core, self.limits, self.replay, self.federation)

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


def interactive_endpoints(parts: InteractiveParts) -> Sequence[Endpoint]:
    """Every endpoint that people meet."""
    core = parts.core
    user_info = UserInfo(parts.token_owners, claims_of_scope, claims_of)
    hints = IdTokenHints(core.keys, parts.settings.issuer)
    checks = AuthorizationChecks(parts.clients, parts.resources, hints, parts.settings.issuer, core.clock)
    consents = Consents(core.stores.consents, core.clock)
    pushed = PushedRequests(core.stores.pushed, core.clock)
    objects = RequestObjects(
        parts.client_keys, parts.settings.issuer, core.clock, lambda: core.policy.current.tokens.leeway
    )
    reader = RequestReader(objects, pushed)
    decision = AuthorizationDecision(
        consents=consents,
        codes=core.stores.codes,
        subjects=ClientSubjects(core.stores.pairwise),
        issuer=parts.settings.issuer,
        code_lifetime=lambda: core.policy.current.tokens.authorization_code_ttl,
        has_second=core.second_factors.due,
        clock=core.clock,
        record=parts.audit.record,
    )
    devices = DeviceAuthorizations(
        checks=checks,
        devices=core.stores.device_codes,
        digests=UserCodeDigests.derive(parts.settings.secret_keys),
        consents=consents,
        subjects=ClientSubjects(core.stores.pairwise),
        issuer=parts.settings.issuer,
        clock=core.clock,
    )
    return (
        AuthorizationEndpoint(
            reader=reader,
            checks=checks,
            decision=decision,
            sessions=parts.sessions,
            tickets=parts.tickets,
            signed=SignedResponses(core.keys, parts.settings.issuer, core.clock),
            clients=parts.clients,
            pages=parts.pages,
            issuer=parts.settings.issuer,
        ),
        PushedRequestEndpoint(parts.authentication, parts.quota, reader, checks, pushed),
        LoginPage(
            parts.pages,
            parts.tickets,
            parts.sessions,
            parts.sign_in,
            parts.clients,
            parts.arrival,
            parts.browsers,
            parts.metrics.logins.count,
            lambda: core.policy.current.accounts.signup,
            parts.passkeys.party.has_name,
            parts.federation.providers.offered,
        ),
        *parts.federation.endpoints(
            parts.pages, parts.tickets, parts.own_account, parts.arrival, parts.metrics, parts.replay
        ),
        SecondFactorPage(
            parts.pages,
            parts.tickets,
            parts.sessions,
            FirstProof(core.accounts.find, parts.sessions, parts.tickets, core.clock),
            parts.second_step,
            parts.passkeys,
            parts.clients,
            parts.arrival,
            parts.metrics.logins.count,
        ),
        PasskeySignInPage(
            parts.pages,
            parts.tickets,
            parts.sessions,
            parts.passkeys,
            parts.clients,
            parts.arrival,
            parts.metrics.logins.count,
        ),
        *sign_up_endpoints(
            core,
            parts.limits,
            parts.pages,
            parts.tickets,
            parts.sessions,
            parts.arrival,
            parts.federation.providers.offered,
        ),
        ConsentPage(parts.pages, parts.tickets, parts.sessions, consents, parts.clients, parts.resources),
        LoginSessionsPage(parts.pages, parts.tickets, parts.arrival, parts.own_sessions, core.stores.users, core.clock),
        AccountSessionsPage(parts.pages, parts.own_account, parts.own_sessions, core.clock),
        SessionsApi(parts.own_tokens, parts.own_sessions),
        *recovery_endpoints(parts),
        AccountPage(parts.pages, parts.own_account, consents, parts.clients, ACCOUNT_SECTIONS),
        ProfilePage(parts.pages, parts.own_account, parts.profiles),
        DownloadPage(parts.pages, parts.own_account, parts.personal_data),
        DeletionPage(parts.pages, parts.own_account, core.erasure),
        MeEndpoint(parts.own_tokens, parts.profiles),
        OwnSecondFactorsPage(
            parts.pages, parts.tickets, parts.own_account, parts.second_step, parts.clients, parts.arrival
        ),
        OwnPasskeysPage(parts.pages, parts.tickets, parts.own_account, parts.passkeys, parts.arrival),
        DeviceAuthorizationEndpoint(parts.authentication, parts.quota, devices, parts.settings.issuer),
        DevicePage(
            parts.pages,
            parts.tickets,
            parts.sessions,
            devices,
            parts.clients,
            parts.resources,
            parts.limits.user_codes,
            parts.metrics,
        ),
        DeviceQrEndpoint(parts.settings.issuer),
        _logout(parts, hints),
        load_static_files(),
        BrandStyle(lambda: core.policy.current.brand),
        Nowhere(parts.pages),
        UserInfoEndpoint(user_info, core.keys, parts.settings.issuer, core.clock, parts.cors, parts.metrics),
        RegistrationEndpoint(parts.registration, parts.settings.issuer),
    )


def _logout(parts: InteractiveParts, hints: IdTokenHints) -> LogoutEndpoint:
    core = parts.core
    subjects, store, issuer = ClientSubjects(core.stores.pairwise), core.stores.sessions, parts.settings.issuer
    logout = Logout(hints, subjects, parts.clients, parts.sessions, store, issuer)
    return LogoutEndpoint(logout, parts.sessions, parts.tickets, parts.clients, parts.pages)
