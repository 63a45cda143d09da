"""The composition root: the one place that knows every part and joins them. No I/O happens but in ``open_parts``."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from authcenter.accounts.passwords import PasswordHashing
from authcenter.accounts.users import Accounts
from authcenter.audit.chain import GENESIS, link
from authcenter.clients.authentication import ClientAuthentication
from authcenter.clients.methods.secret import ClientSecrets
from authcenter.clients.registry import ClientRegistry
from authcenter.clients.resources import ResourceRegistry
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.derived import MacKeys
from authcenter.core.errors import OAuthError
from authcenter.core.event import Event
from authcenter.core.user import User
from authcenter.grants.client_credentials import ClientCredentialsGranter
from authcenter.grants.composite import CompositeTokenGranter
from authcenter.grants.granter import GrantParts, TokenGranter
from authcenter.grants.password import PasswordGranter
from authcenter.grants.refresh_token import RefreshTokenGranter
from authcenter.grants.resources import GrantTargets
from authcenter.grants.third_party import third_party_grant_types, third_party_granters
from authcenter.http.cors import ClientCors
from authcenter.http.discovery import DiscoveryEndpoint, JwksEndpoint
from authcenter.http.frame import Frame, security_headers
from authcenter.http.introspect import IntrospectionEndpoint
from authcenter.http.operations import OperatorsListener
from authcenter.http.origin import OriginReader
from authcenter.http.revoke import RevocationEndpoint
from authcenter.http.router import Handler, Router
from authcenter.http.token import TokenEndpoint
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.keys.rotation import KeyRotation
from authcenter.keys.source import LiveKeyRing
from authcenter.keys.vault import KeyVault
from authcenter.settings.boot import BootSettings
from authcenter.settings.live import LivePolicy
from authcenter.stores.cached.invalidation import CacheInvalidation
from authcenter.stores.cached.read_through import ReadThroughCache
from authcenter.stores.ports.accounts import UserStore
from authcenter.stores.ports.audit import AuditLog
from authcenter.stores.ports.clients import ClientStore, ResourceLookup, ResourceStore
from authcenter.stores.ports.keys import SigningKeyStore
from authcenter.stores.ports.tokens import ChangeFeed, RefreshTokenStore, RevocationStore
from authcenter.stores.sql.audit import SqlAuditLog
from authcenter.stores.sql.changes import SqlChangeFeed
from authcenter.stores.sql.clients import SqlClientStore
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.keys import SqlSigningKeyStore
from authcenter.stores.sql.resources import SqlResourceStore
from authcenter.stores.sql.revocations import SqlRevocationStore
from authcenter.stores.sql.schema import schema_state, upgrade_schema
from authcenter.stores.sql.tokens import SqlRefreshTokenStore
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.users import SqlUserStore
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.request_log import RequestLog
from authcenter.tokens.enhancers import GrantEnhancer, JwtTokenEnhancer, UserEnhancer
from authcenter.tokens.families import TokenFamilies
from authcenter.tokens.introspection import Introspector
from authcenter.tokens.lifetimes import TokenLifetimes
from authcenter.tokens.revocation import Revocations
from authcenter.tokens.service import TokenService
from authcenter.tokens.surrender import TokenSurrender
from authcenter.tokens.verifier import AccessTokenVerifier
from authcenter.workers.follow import Follower

__all__ = [
    "Core",
    "Service",
    "build_core",
    "build_service",
    "open_database",
    "schema_state",
    "sql_stores",
    "upgrade_schema",
]

V = TypeVar("V")

BUILT_IN_GRANTS = frozenset({"client_credentials", "password", "refresh_token"})
"""The grant types that need no package of a third party."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The record, behind its ports."""

    clients: ClientStore
    resources: ResourceStore
    users: UserStore
    keys: SigningKeyStore
    refresh_tokens: RefreshTokenStore
    revocations: RevocationStore
    changes: ChangeFeed
    audit: AuditLog


@asynccontextmanager
async def open_database(settings: BootSettings) -> AsyncIterator[Database]:
    """Nothing is connected before it is used. Closed at the end, also when something fails halfway."""
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


def sql_stores(database: Database, on_event: Callable[[Event], None]) -> Stores:
    """Every port over one database. ``on_event`` is told of each audit event once it is committed."""
    transactions = Transactions(database, link, GENESIS, on_event)
    return Stores(
        clients=SqlClientStore(database, transactions),
        resources=SqlResourceStore(database, transactions),
        users=SqlUserStore(database, transactions),
        keys=SqlSigningKeyStore(database, transactions),
        refresh_tokens=SqlRefreshTokenStore(database, transactions),
        revocations=SqlRevocationStore(database, transactions),
        changes=SqlChangeFeed(database),
        audit=SqlAuditLog(database, transactions),
    )


@dataclass(frozen=True, slots=True)
class Core:
    """The parts that both the service and the command line are made of, over the record itself."""

    stores: Stores
    policy: LivePolicy
    clock: Clock
    hashing: PasswordHashing
    secrets: ClientSecrets
    keys: LiveKeyRing
    rotation: KeyRotation
    lifetimes: TokenLifetimes
    revocations: Revocations
    families: TokenFamilies
    verifier: AccessTokenVerifier
    accounts: Accounts
    clients: ClientRegistry
    resources: ResourceRegistry


def build_core(
    settings: BootSettings, policy: LivePolicy, stores: Stores, hashing: PasswordHashing, clock: Clock
) -> Core:
    """Join what works on the record. No I/O and no globals."""
    roots = settings.secret_keys
    vault = KeyVault(settings.key_passphrases)
    keys = LiveKeyRing(stores.keys, vault, clock)
    lifetimes = TokenLifetimes(policy)
    longest = LONGEST_TOKEN + lifetimes.leeway
    revocations = Revocations(stores.revocations, clock, lambda: lifetimes.leeway)
    secrets = ClientSecrets(MacKeys.derive(roots, "client secret"), hashing)
    return Core(
        stores=stores,
        policy=policy,
        clock=clock,
        hashing=hashing,
        secrets=secrets,
        keys=keys,
        rotation=KeyRotation(stores.keys, keys, vault, clock),
        lifetimes=lifetimes,
        revocations=revocations,
        families=TokenFamilies(stores.refresh_tokens, MacKeys.derive(roots, "refresh token"), clock),
        verifier=AccessTokenVerifier(settings.issuer, keys, revocations, clock, lambda: policy.current.tokens.leeway),
        accounts=Accounts(stores.users, hashing, clock, longest),
        clients=ClientRegistry(stores.clients, secrets, clock, known_grant_types(), longest),
        resources=ResourceRegistry(stores.resources, clock),
    )


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


def known_grant_types() -> frozenset[str]:
    """Every grant type that this installation serves, third parties' included."""
    return BUILT_IN_GRANTS | third_party_grant_types()


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
    def count(outcome: str) -> None:
        metrics.cache_requests.count(name, outcome)

    return ReadThroughCache(load, lambda: core.policy.current, core.clock, count)


def _refresh_gauges(core: Core, metrics: Metrics) -> None:
    metrics.revocation_entries.set(len(core.revocations.replica))
    metrics.revocation_lag.set(core.revocations.age if core.revocations.loaded else 0)
    metrics.config_version.clear()
    metrics.config_version.labels(core.policy.current.version).set(core.policy.generation)
    metrics.key_age.clear()
    for key in core.keys.ring.signing.values():
        metrics.key_age.labels(key.kid, key.alg).set(core.clock.seconds() - key.signs_from.timestamp())
