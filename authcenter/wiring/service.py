"""The HTTP service, joined around the core."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from authcenter.audit.grouped import GroupedAudit
from authcenter.audit.traces import TraceLog
from authcenter.clients.authentication import ClientAuthentication
from authcenter.clients.quota import TokenQuota
from authcenter.core.client import Client
from authcenter.core.derived import hkdf
from authcenter.core.resource import Resource
from authcenter.core.session import Session
from authcenter.core.user import User
from authcenter.grants.composite import CompositeTokenGranter
from authcenter.http.api.logout import AppLogout
from authcenter.http.api.tokens import TokensForApps
from authcenter.http.cors import ClientCors
from authcenter.http.discovery import DiscoveryEndpoint, JwksEndpoint
from authcenter.http.frame import Frame, security_headers
from authcenter.http.introspect import IntrospectionEndpoint
from authcenter.http.openapi import DescriptionEndpoint
from authcenter.http.operations import OperatorsListener, ThisProcess
from authcenter.http.origin import OriginReader
from authcenter.http.probes import Probes
from authcenter.http.request_tracer import RequestTracer
from authcenter.http.revocation_feed import RevocationFeedEndpoint
from authcenter.http.revoke import RevocationEndpoint
from authcenter.http.router import Handler, Router
from authcenter.http.status_list import StatusListEndpoint, StatusListsEndpoint
from authcenter.http.token import TokenEndpoint
from authcenter.http.traced import TracedRequests
from authcenter.http.validate import ValidateEndpoint
from authcenter.settings.boot import BootSettings
from authcenter.settings.policy_store import OpenStore
from authcenter.stores.cached.codec import keeps_no_password_hash
from authcenter.stores.cached.invalidation import CHANGES, CacheInvalidation
from authcenter.stores.cached.read_through import ReadThroughCache
from authcenter.telemetry.dependencies import note_dependency
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.request_log import RequestLog
from authcenter.telemetry.tracing import Tracing
from authcenter.tokens.feed import RevocationFeed
from authcenter.tokens.gateways import GatewayGuard
from authcenter.tokens.introspection import Introspector
from authcenter.tokens.issuance import IssuanceLog
from authcenter.tokens.surrender import TokenSurrender
from authcenter.wiring.admin import admin_endpoints
from authcenter.wiring.caches import cached
from authcenter.wiring.console import console_endpoints
from authcenter.wiring.core import Core
from authcenter.wiring.grants import strategies_of, token_service
from authcenter.wiring.interactive import interactive_endpoints
from authcenter.wiring.interactive_parts import Endpoint, InteractiveParts
from authcenter.wiring.limits import build_limits
from authcenter.wiring.operators import OperatorParts
from authcenter.wiring.shared import Shared, Spread, in_process_shared
from authcenter.wiring.sign_in import build_second_step, password_sign_in
from authcenter.wiring.status import build_status
from authcenter.workers.follow import Follower
from authcenter.workers.follow_stream import StreamFollower
from authcenter.workers.hints import ChangeHints
from authcenter.workers.repair import SpreadRepairer

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Service:
    """One process of the service, joined but not started.

    Attributes:
        settle_limits: Background work: sums rate limits with the other instances.
        audit: To be run, and closed once nothing is issued any more.
        traces: To be run, and flushed at the end.
        feed: To be ended before the listener drains: who follows it would stay.
    """

    public: Handler
    operators: Handler
    probes: Probes
    observed: ThisProcess
    follower: Follower
    settle_limits: Callable[[], Coroutine[None, None, None]]
    hints: ChangeHints
    health: Health
    feed: RevocationFeed
    audit: GroupedAudit
    traces: TraceLog
    spreading: Sequence[StreamFollower | SpreadRepairer] = ()


def build_service(
    settings: BootSettings,
    core: Core,
    metrics: Metrics,
    log: Logger,
    request_log: RequestLog,
    *,
    migrated: Callable[[], Awaitable[bool]],
    shared: Shared | None = None,
    spread: Spread | None = None,
    tracing: Tracing | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    policy_store: OpenStore | None = None,
) -> Service:
    """Join the service around ``core``. No I/O and no globals, so a test builds it whole over memory stores.

    Args:
        migrated: Whether the schema is the newest; may bring it there.
        shared: What this process shares with others; None: there are none.
        spread: What spreads revocations, where there is a Redis.
        pause: Waits so many seconds before a password is tried, where many failed.
        policy_store: Where operators may push a policy to; None: nowhere.
    """
    shared = shared or in_process_shared(core.clock)
    clock, policy = core.clock, core.policy
    health = Health(policy_version=policy.current.version)
    clients = cached(core.stores.clients.find, Client, core, shared, metrics, keeps_no_password_hash)
    resources = cached(core.stores.resources.find, Resource, core, shared, metrics)
    users = cached(core.stores.users.find, User, core, shared, metrics)
    sessions = cached(core.stores.sessions.find, Session, core, shared, metrics)
    if shared.redis is not None:
        shared.redis.subscribe(lambda up, hint: note_dependency(health, metrics, log, "redis", up=up, hint=hint))

    limits = build_limits(settings, policy, clock, shared)
    quota = TokenQuota(limits.tokens)
    authentication = ClientAuthentication(clients, core.secrets, limits.client_failures)
    status = build_status(settings, core, metrics, log)
    audit = GroupedAudit(
        trail=core.stores.trail,
        directory=settings.audit_spool,
        clock=clock,
        count=lambda event, times: metrics.audit_events.count(event.kind, times=times),
        on_depth=metrics.audit_depth.set,
        log=log,
    )
    traces = TraceLog(core.stores.traces, clock, lambda: policy.current.audit.explain_ttl, log)
    tokens = token_service(settings, core, metrics, status.enhancer, IssuanceLog(audit))
    sign_in = password_sign_in(settings, core, limits, shared, pause)
    second_step = build_second_step(core, limits, sign_in)
    strategies = strategies_of(settings, core, resources, users, sign_in, second_step, metrics, log)
    granter = CompositeTokenGranter(strategies, authentication, quota, tokens, core.revocations, clock)
    introspector = Introspector(
        core.verifier, core.families, core.revocations, core.lifetimes, clients, policy, settings.issuer, clock
    )
    surrender = TokenSurrender(core.verifier, core.families, tokens, metrics.revocations.count)

    failed = metrics.token_failures.count
    guard = GatewayGuard(core.verifier, core.revocations, core.lifetimes, clients, policy, clock, on_failure=failed)
    feed = RevocationFeed(
        core.revocations, core.keys, lambda: policy.current.tokens.signing_alg, settings.issuer, clock
    )

    cors = ClientCors(clients)
    origins = OriginReader(settings.trusted_networks)
    router = Router()
    tracer = RequestTracer(traces, audit.record, clock, hkdf(settings.secret_keys[0], "explain mark"))
    frame = Frame(router, origins, cors, metrics, health, log, request_log, tracer, security_headers(settings.issuer))
    interactive = InteractiveParts(
        settings,
        core,
        clients,
        resources,
        users,
        sessions,
        limits,
        cors,
        metrics,
        log,
        authentication,
        quota,
        shared.replay,
        audit,
        sign_in,
        sessions.forget,
        users.forget,
        clients.forget,
    )
    operated = OperatorParts(interactive, policy_store)
    token_endpoint = TokenEndpoint(granter, quota, cors, metrics)
    endpoints: list[Endpoint] = [
        token_endpoint,
        TokensForApps(token_endpoint, authentication),
        AppLogout(interactive.own_tokens, interactive.sessions, tokens),
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
        ValidateEndpoint(guard),
        RevocationFeedEndpoint(authentication, feed, clock),
        DiscoveryEndpoint(
            settings.issuer, tuple(granter.strategies), core.keys, tuple(interactive.catalogue.languages), policy
        ),
        JwksEndpoint(core.keys, policy),
        StatusListEndpoint(status.lists),
        StatusListsEndpoint(status.lists),
        *interactive_endpoints(interactive),
        *console_endpoints(operated, health),
        *admin_endpoints(operated),
        DescriptionEndpoint.of(settings.issuer),
    ]
    for endpoint in endpoints:
        endpoint.mount(router)
    observed = ThisProcess(health, metrics, lambda: _refresh_gauges(core, metrics))
    probes = Probes()
    operators = OperatorsListener(observed, Router(), probes)
    operators.mount()

    caches: dict[str, ReadThroughCache[Any]] = {
        "client": clients,
        "resource": resources,
        "user": users,
        "session": sessions,
    }
    forget = CacheInvalidation(core.stores.changes, caches).poll
    follower = Follower(
        migrated=migrated,
        database_now=core.stores.revocations.now,
        forget=forget,
        rotation=core.rotation,
        keys=core.keys,
        revocations=core.revocations,
        policy=policy,
        clock=clock,
        health=health,
        metrics=metrics,
        log=log,
        tracing=tracing,
    )
    hints = ChangeHints(shared.wake_ups, CHANGES, forget, clock)
    spreading = _spreading(spread, core, health, metrics, log) if spread else ()
    public = frame.handle if tracing is None else TracedRequests(tracing, router, origins, frame.handle).handle
    return Service(
        public,
        operators.handle,
        probes,
        observed,
        follower,
        limits.settle,
        hints,
        health,
        feed,
        audit,
        traces,
        spreading,
    )


def _spreading(
    spread: Spread, core: Core, health: Health, metrics: Metrics, log: Logger
) -> tuple[StreamFollower, SpreadRepairer]:
    stream, policy, clock = spread.revocations, core.policy, core.clock
    follower = StreamFollower(stream, spread.announcer, core.revocations, policy, clock, health, metrics, log)
    return follower, SpreadRepairer(stream, core.stores.revocations, policy, clock, lambda: core.lifetimes.leeway, log)


def _refresh_gauges(core: Core, metrics: Metrics) -> None:
    metrics.revocation_entries.set(len(core.revocations.replica))
    metrics.revocation_lag.set(core.revocations.age if core.revocations.loaded else 0)
    metrics.config_version.clear()
    metrics.config_version.labels(core.policy.current.version).set(core.policy.generation)
    metrics.key_rotation.set(core.policy.current.keys.rotate_every)
    metrics.key_age.clear()
    for key in core.keys.ring.signing.values():
        metrics.key_age.labels(key.kid, key.alg).set(core.clock.seconds() - key.signs_from.timestamp())
