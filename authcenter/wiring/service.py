"""The HTTP service, joined around the core."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from authcenter.clients.authentication import ClientAuthentication
from authcenter.core.client import Client
from authcenter.core.errors import OAuthError
from authcenter.core.user import User
from authcenter.grants.client_credentials import ClientCredentialsGranter
from authcenter.grants.composite import CompositeTokenGranter
from authcenter.grants.granter import GrantParts, TokenGranter
from authcenter.grants.password import PasswordGranter
from authcenter.grants.refresh_token import RefreshTokenGranter
from authcenter.grants.resources import GrantTargets
from authcenter.grants.third_party import third_party_granters
from authcenter.http.cors import ClientCors
from authcenter.http.discovery import DiscoveryEndpoint, JwksEndpoint
from authcenter.http.frame import Frame, security_headers
from authcenter.http.introspect import IntrospectionEndpoint
from authcenter.http.operations import OperatorsListener
from authcenter.http.origin import OriginReader
from authcenter.http.revoke import RevocationEndpoint
from authcenter.http.router import Handler, Router
from authcenter.http.token import TokenEndpoint
from authcenter.settings.boot import BootSettings
from authcenter.stores.cached.invalidation import CacheInvalidation
from authcenter.stores.cached.read_through import ReadThroughCache
from authcenter.stores.ports.clients import ResourceLookup
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.request_log import RequestLog
from authcenter.tokens.enhancers import GrantEnhancer, JwtTokenEnhancer, UserEnhancer
from authcenter.tokens.introspection import Introspector
from authcenter.tokens.service import TokenService
from authcenter.tokens.surrender import TokenSurrender
from authcenter.wiring.core import Core
from authcenter.workers.follow import Follower

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Service:
    """One process of the service, joined but not started."""

    public: Handler
    operators: Handler
    follower: Follower
    health: Health


def build_service(
    settings: BootSettings,
    core: Core,
    metrics: Metrics,
    log: Logger,
    request_log: RequestLog,
    *,
    migrated: Callable[[], Awaitable[bool]],
) -> Service:
    """Join the service around ``core``. No I/O and no globals, so a test builds it whole over memory stores.

    Args:
        migrated: Whether the schema is the newest; may bring it there.
    """
    clock, policy = core.clock, core.policy
    health = Health(policy_version=policy.current.version)
    clients = _cache(core.stores.clients.find, core, metrics, "client")
    resources = _cache(core.stores.resources.find, core, metrics, "resource")

    authentication = ClientAuthentication(clients, core.secrets)
    tokens = _token_service(settings, core, metrics)
    granter = CompositeTokenGranter(
        _strategies(settings, core, resources, metrics, log), authentication, tokens, core.revocations, clock
    )
    introspector = Introspector(
        core.verifier, core.families, core.revocations, core.lifetimes, clients, policy, settings.issuer, clock
    )
    surrender = TokenSurrender(core.verifier, core.families, tokens, metrics.revocations.count)

    cors = ClientCors(clients)
    origins = OriginReader(settings.trusted_networks)
    router = Router()
    frame = Frame(router, origins, cors, metrics, health, log, request_log, security_headers(settings.issuer))
    for endpoint in (
        TokenEndpoint(granter, cors, metrics),
        IntrospectionEndpoint(
            authentication,
            introspector,
            core.keys,
            lambda: policy.current.tokens.signing_alg,
            settings.issuer,
            clock,
            metrics,
        ),
        RevocationEndpoint(authentication, surrender, cors),
        DiscoveryEndpoint(settings.issuer, tuple(granter.strategies), policy),
        JwksEndpoint(core.keys, policy),
    ):
        endpoint.mount(router)
    operators = OperatorsListener(health, metrics, lambda: _refresh_gauges(core, metrics), Router())
    operators.mount()

    follower = Follower(
        migrated=migrated,
        database_now=core.stores.revocations.now,
        forget=CacheInvalidation(core.stores.changes, clients, resources).poll,
        rotation=core.rotation,
        keys=core.keys,
        revocations=core.revocations,
        policy=policy,
        clock=clock,
        health=health,
        metrics=metrics,
        log=log,
    )
    return Service(frame.handle, operators.handle, follower, health)


def _token_service(settings: BootSettings, core: Core, metrics: Metrics) -> TokenService:
    enhancers = [
        GrantEnhancer(settings.issuer, lambda approval: core.lifetimes.access(approval.client)),
        UserEnhancer(),
        JwtTokenEnhancer(core.keys, lambda: core.policy.current.tokens.signing_alg),
    ]
    replayed = metrics.refresh_replays.count
    return TokenService(
        enhancers, core.families, core.revocations, core.verifier, core.lifetimes, core.clock, on_replay=replayed
    )


def _strategies(
    settings: BootSettings, core: Core, resources: ResourceLookup, metrics: Metrics, log: Logger
) -> list[TokenGranter]:
    targets = GrantTargets(resources, settings.issuer)

    async def authenticate(login: str, password: str) -> User:
        try:
            user = await core.accounts.authenticate(login, password)
        except OAuthError as refused:
            metrics.logins.count(refused.rule)
            raise
        metrics.logins.count("success")
        return user

    def deprecated(client: Client) -> None:
        log.warning("password_grant_used", client_id=client.client_id, deprecation="RFC 9700 §2.4: use another grant")

    return [
        ClientCredentialsGranter(targets),
        PasswordGranter(targets, authenticate, deprecated),
        RefreshTokenGranter(core.families, targets, core.stores.users, core.revocations, core.clock),
        *third_party_granters(GrantParts(targets, core.clock)),
    ]


def _cache(load: Callable[[str], Awaitable[V | None]], core: Core, metrics: Metrics, name: str) -> ReadThroughCache[V]:
    count = partial(metrics.cache_requests.count, name)
    return ReadThroughCache(load, lambda: core.policy.current, core.clock, count)


def _refresh_gauges(core: Core, metrics: Metrics) -> None:
    metrics.revocation_entries.set(len(core.revocations.replica))
    metrics.revocation_lag.set(core.revocations.age if core.revocations.loaded else 0)
    metrics.config_version.clear()
    metrics.config_version.labels(core.policy.current.version).set(core.policy.generation)
    metrics.key_age.clear()
    for key in core.keys.ring.signing.values():
        metrics.key_age.labels(key.kid, key.alg).set(core.clock.seconds() - key.signs_from.timestamp())
