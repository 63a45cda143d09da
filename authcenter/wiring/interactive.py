"""What people meet, joined: pages, sessions, and the endpoints that end on a page."""

from collections.abc import Sequence

from authcenter.accounts.claims import claims_of, claims_of_scope
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
from authcenter.http.api.me import MeEndpoint
from authcenter.http.api.sessions import SessionsApi
from authcenter.http.authorize import AuthorizationEndpoint
from authcenter.http.device_authorization import DeviceAuthorizationEndpoint
from authcenter.http.device_qr import DeviceQrEndpoint
from authcenter.http.logout import LogoutEndpoint
from authcenter.http.pages.account import AccountPage
from authcenter.http.pages.account_data import DownloadPage
from authcenter.http.pages.account_deletion import DeletionPage
from authcenter.http.pages.account_sessions import AccountSessionsPage
from authcenter.http.pages.brand import BrandStyle
from authcenter.http.pages.consent import ConsentPage
from authcenter.http.pages.device import DevicePage
from authcenter.http.pages.first_proof import FirstProof
from authcenter.http.pages.login import LoginPage
from authcenter.http.pages.login_sessions import LoginSessionsPage
from authcenter.http.pages.nowhere import Nowhere
from authcenter.http.pages.own_passkeys import OwnPasskeysPage
from authcenter.http.pages.own_second_factors import OwnSecondFactorsPage
from authcenter.http.pages.passkey_sign_in import PasskeySignInPage
from authcenter.http.pages.profile import ProfilePage
from authcenter.http.pages.second_factor import SecondFactorPage
from authcenter.http.pages.static import load_static_files
from authcenter.http.pushed import PushedRequestEndpoint
from authcenter.http.register import RegistrationEndpoint
from authcenter.http.userinfo import UserInfoEndpoint
from authcenter.tokens.device_codes import UserCodeDigests
from authcenter.tokens.user_info import UserInfo
from authcenter.wiring.interactive_parts import Endpoint, InteractiveParts
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
        LoginSessionsPage(
            parts.pages,
            parts.tickets,
            parts.arrival,
            parts.own_sessions,
            core.stores.users,
            parts.replay,
            core.clock,
        ),
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
