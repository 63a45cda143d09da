"""What issues tokens, joined: the token service, and a strategy for each grant type."""

from authcenter.accounts.both_steps import BothSteps, CountedSteps
from authcenter.accounts.claims import claims_of
from authcenter.accounts.second_step import SecondStep
from authcenter.accounts.sign_in import PasswordSignIn
from authcenter.core.client import Client
from authcenter.grants.authorization_code import AuthorizationCodeGranter
from authcenter.grants.client_credentials import ClientCredentialsGranter
from authcenter.grants.device_code import DeviceCodeGranter
from authcenter.grants.granter import GrantParts, TokenGranter
from authcenter.grants.password import PasswordGranter
from authcenter.grants.refresh_token import RefreshTokenGranter
from authcenter.grants.resources import GrantTargets
from authcenter.grants.third_party import third_party_granters
from authcenter.settings.boot import BootSettings
from authcenter.stores.ports.accounts import UserLookup
from authcenter.stores.ports.clients import ResourceLookup
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.tokens.enhancers import GrantEnhancer, JwtTokenEnhancer, UserEnhancer
from authcenter.tokens.id_tokens import IdTokens
from authcenter.tokens.issuance import IssuanceLog
from authcenter.tokens.pending_cuts import PendingCuts
from authcenter.tokens.service import TokenService
from authcenter.tokens.status_claim import StatusEnhancer
from authcenter.wiring.core import Core


def token_service(
    settings: BootSettings, core: Core, metrics: Metrics, status: StatusEnhancer, issuance: IssuanceLog
) -> TokenService:
    """What signs, spends and records."""
    enhancers = [
        GrantEnhancer(settings.issuer, lambda approval: core.lifetimes.access(approval.client)),
        UserEnhancer(),
        status,
        JwtTokenEnhancer(core.keys, lambda: core.policy.current.tokens.signing_alg),
    ]
    replayed = metrics.refresh_replays.count
    return TokenService(
        enhancers=enhancers,
        id_tokens=IdTokens(settings.issuer, core.keys, lambda: core.policy.current.tokens.id_token_ttl, claims_of),
        codes=core.stores.codes,
        device_codes=core.stores.device_codes,
        families=core.families,
        revocations=core.revocations,
        verifier=core.verifier,
        lifetimes=core.lifetimes,
        clock=core.clock,
        issuance=issuance,
        on_replay=replayed,
    )


def strategies_of(
    settings: BootSettings,
    core: Core,
    resources: ResourceLookup,
    users: UserLookup,
    sign_in: PasswordSignIn,
    second_step: SecondStep,
    metrics: Metrics,
    log: Logger,
) -> list[TokenGranter]:
    """A granter for each grant type, third parties' last."""
    targets = GrantTargets(resources, settings.issuer)
    steps = CountedSteps(BothSteps(sign_in, second_step), metrics.logins.count)

    def deprecated(client: Client) -> None:
        log.warning("password_grant_used", client_id=client.client_id, deprecation="RFC 9700 §2.4: use another grant")

    return [
        ClientCredentialsGranter(targets),
        AuthorizationCodeGranter(core.stores.codes, targets, users, core.revocations, core.clock),
        DeviceCodeGranter(core.stores.device_codes, targets, users, core.revocations, core.clock),
        PasswordGranter(targets, steps, PendingCuts(core.revocations, core.clock), deprecated),
        RefreshTokenGranter(core.families, targets, users, core.revocations, core.clock),
        *third_party_granters(GrantParts(targets, core.clock)),
    ]
