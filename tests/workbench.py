"""The whole service over memory stores, on a clock that tests set, without sockets: what a unit test works with."""

import functools
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import msgspec
import pytest
import structlog
from structlog.testing import CapturingLogger

from authcenter.accounts.passwords import Argon2Cost, PasswordHashing
from authcenter.audit.chain import GENESIS, link
from authcenter.clients.authentication import PresentedClient
from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import AuthMethod, Client
from authcenter.core.clock import Clock
from authcenter.core.errors import OAuthError, Reason, TokenRejected
from authcenter.core.event import Event
from authcenter.core.form import Form
from authcenter.core.ids import Kid, RequestId
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.core.user import User
from authcenter.jose.algorithms import ALGORITHMS, Alg
from authcenter.jose.jwk import signature_jwk
from authcenter.keys.ring import SigningKey
from authcenter.keys.vault import KeyVault
from authcenter.settings.boot import BootSettings, load_boot_settings
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import parse_policy
from authcenter.settings.policy_store import OpenStore
from authcenter.stores.memory.accounts import MemoryUserStore
from authcenter.stores.memory.address_changes import MemoryAddressChangeStore
from authcenter.stores.memory.audit import MemoryAuditLog
from authcenter.stores.memory.audit_trail import MemoryAuditTrail
from authcenter.stores.memory.clients import MemoryClientStore, MemoryResourceStore
from authcenter.stores.memory.codes import (
    MemoryAuthorizationCodeStore,
    MemoryPairwiseSubjects,
    MemoryPushedRequestStore,
)
from authcenter.stores.memory.devices import MemoryDeviceCodeStore
from authcenter.stores.memory.erasure import MemoryPersonStore
from authcenter.stores.memory.eviction import MemoryEviction
from authcenter.stores.memory.identities import MemoryIdentityStore
from authcenter.stores.memory.keys import MemoryRotationPauses, MemorySigningKeyStore
from authcenter.stores.memory.locks import MemoryLocks
from authcenter.stores.memory.outbox import MemoryOutbox
from authcenter.stores.memory.passkeys import MemoryPasskeyStore
from authcenter.stores.memory.password_resets import MemoryPasswordResetStore
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.registration import MemoryInitialAccessTokens
from authcenter.stores.memory.request_traces import MemoryRequestTraces
from authcenter.stores.memory.second_factors import MemoryFactorStore, MemoryRecoveryCodeStore, MemoryTotpStore
from authcenter.stores.memory.sessions import MemoryConsentStore, MemorySessionStore
from authcenter.stores.memory.sign_ups import MemorySignUpStore
from authcenter.stores.memory.status_lists import MemoryStatusListStore
from authcenter.stores.memory.tokens import MemoryChangeFeed, MemoryRefreshTokenStore, MemoryRevocationStore
from authcenter.stores.memory.unused_clients import MemoryUnusedClients
from authcenter.stores.ports.keys import StoredKey
from authcenter.stores.ports.shared import RateCounters
from authcenter.telemetry.log_context import add_request_fields
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.request_log import RequestLog
from authcenter.tokens.introspection import Introspection
from authcenter.wiring.core import Core, build_core
from authcenter.wiring.record import Stores
from authcenter.wiring.service import Service, build_service
from authcenter.wiring.shared import in_process_shared
from tests.servers.log_search import THIS_RUN
from tests.switchboard import Switchboard

CHEAP = Argon2Cost(memory_kib=8, passes=1, lanes=1)
START = datetime(2030, 1, 1, 12, tzinfo=UTC)
ISSUER = "https://auth.example"
API, OTHER_API = "https://api.example", "https://other.example"
PASSWORD = "correct horse battery"
PASSPHRASE = b"the passphrase of the tests"
ORIGIN = RequestOrigin(RequestId("request-1"), "192.0.2.1", "tests")


class SetClock(Clock):
    """Stands where a test puts it."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Answer:
    """An answer of the token endpoint."""

    body: bytes

    @property
    def members(self) -> dict[str, Any]:
        members: dict[str, Any] = json.loads(self.body)
        return members

    @property
    def access(self) -> str:
        return str(self.members["access_token"])

    @property
    def refresh(self) -> str:
        return str(self.members["refresh_token"])

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the access token, unverified."""
        payload = self.access.split(".")[1]
        claims: dict[str, Any] = json.loads(decoded(payload))
        return claims


class Workbench:
    """One process of the service, with the client ``app``, the client ``other`` and the user ``alice``."""

    def __init__(
        self, hashing: PasswordHashing, policy: str = "", policy_store: OpenStore | None = None, **environ: str
    ) -> None:
        self.clock = SetClock()
        self.board = Switchboard()
        self.events: list[Event] = []
        self.log = CapturingLogger()
        self.lines = StringIO()
        self.request_log = RequestLog(self.lines)
        THIS_RUN.texts += [self.lines, self.log.calls]
        self.metrics = Metrics()
        self.secrets: dict[str, str] = {}
        self.pauses: list[float] = []
        self.migrated = True
        self.policy_store = policy_store
        self.settings = settings(**environ)
        THIS_RUN.note(PASSWORD)
        self.policy = LivePolicy(parse_policy(policy, source="file"))
        self.record = MemoryRecord(self.clock, link, GENESIS, self.events.append)
        self.stores = self._stores()
        self.hashing = hashing
        self.core = self.another_core()
        self.service = self.another_service(self.core)
        for key in (stored_key(Alg.ES256), stored_key(Alg.EDDSA)):
            self.record.tables.keys[key.kid] = key

    def another_core(self) -> Core:
        """The parts of one more process over the same record."""
        return build_core(self.settings, self.policy, self.stores, self.hashing, self.clock)

    def another_service(
        self, core: Core, counters: RateCounters | None = None, policy_store: OpenStore | None = None
    ) -> Service:
        async def migrated() -> bool:
            return self.migrated

        log = structlog.wrap_logger(self.log, processors=[add_request_fields])
        shared = in_process_shared(self.clock)
        if counters is not None:
            shared = replace(shared, login_counters=counters, token_counters=counters)
        return build_service(
            self.settings,
            core,
            self.metrics,
            log,
            self.request_log,
            migrated=migrated,
            shared=shared,
            pause=self.pause,
            policy_store=policy_store or self.policy_store,
        )

    async def pause(self, seconds: float) -> None:
        """Wait as its clock does: not at all."""
        self.pauses.append(seconds)

    async def start(self) -> "Workbench":
        """Load keys and revocations; make the clients and the user."""
        everything = frozenset({"client_credentials", "password", "refresh_token"})
        await self.client("app", grants=everything, audiences=(API, OTHER_API), serves=frozenset({API}))
        await self.client("other", grants=everything, audiences=(API,))
        await self.core.accounts.create("alice", "alice@example.com", Secret(PASSWORD), ["reader"], actor="tests")
        self.core.keys._rows = []
        await self.core.keys.reload()
        await self.core.revocations.poll(self.policy.current.revocation.short_hash_bytes)
        self.service.health.missing.clear()
        self.events.clear()
        self.board.asked.clear()
        return self

    async def add_user(self, name: str) -> User:
        """One more person, with the password and an address like alice's."""
        return await self.core.accounts.create(name, f"{name}@example.com", Secret(PASSWORD), actor="tests")

    async def client(self, client_id: str, **metadata: Any) -> Client:
        """Register a client with the scopes ``read`` and ``write``; its secret goes into ``secrets``."""
        described = ClientMetadata(client_id, **{"scopes": frozenset({"read", "write"}), **metadata})
        client, secret = await self.core.clients.create(described, "tests")
        if secret is not None:
            self.secrets[client_id] = secret.reveal()
            THIS_RUN.note(secret.reveal())
        return client

    async def follow(self) -> None:
        """What the worker does each second."""
        assert await self.service.follower.step()

    @property
    def alice(self) -> User:
        return next(held.user for held in self.record.tables.users.values() if held.user.username == "alice")

    def offer(self, policy: str) -> None:
        assert self.policy.offer(policy, "file").outcome == "accepted"

    async def ask(
        self,
        grant_type: str,
        *,
        client: str = "app",
        secret: str | None = None,
        resource: str | tuple[str, ...] = (),
        after: timedelta = timedelta(0),
        request_id: str = ORIGIN.request_id,
        **parameters: str,
    ) -> Answer:
        """A token request; ``after`` moves the clock before it."""
        self.clock.at += after
        resources = (resource,) if isinstance(resource, str) else resource
        form = Form({"grant_type": grant_type, **parameters}, resources)
        origin = msgspec.structs.replace(ORIGIN, request_id=RequestId(request_id))
        tokens = await self._endpoint("token").granter.serve(form, self.presented(client, secret), origin)
        THIS_RUN.note_answer(tokens.body.decode())
        return Answer(tokens.body)

    async def issue(self, **changes: Any) -> Answer:
        """Sign alice in with her password."""
        return await self.ask("password", **{"username": "alice", "password": PASSWORD, **changes})

    async def refresh(self, token: str, **changes: Any) -> Answer:
        return await self.ask("refresh_token", **{"refresh_token": token, **changes})

    async def introspect(self, token: str, client: str = "app") -> Introspection:
        caller = await self.core.clients.get(client)
        answer: Introspection = await self._endpoint("introspect").introspector.introspect(token, caller)
        return answer

    async def active(self, token: str, client: str = "app") -> bool:
        return (await self.introspect(token, client)).claims is not None

    async def revoke(self, token: str, client: str = "app") -> tuple[Rule, str] | None:
        caller = await self.core.clients.get(client)
        verdict: tuple[Rule, str] | None = await self._endpoint("revoke").surrender.surrender(token, caller, ORIGIN)
        return verdict

    def spent(self, token: str) -> bool:
        selector = token.removeprefix("acr_").partition(".")[0]
        return self.record.tables.tokens[selector].spent_at is not None

    def ended(self, token: str) -> bool:
        selector = token.removeprefix("acr_").partition(".")[0]
        return self.record.tables.families[self.record.tables.tokens[selector].family_id].ended_at is not None

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def presented(self, client: str, secret: str | None = None) -> PresentedClient:
        value = self.secrets.get(client, "") if secret is None else secret
        return PresentedClient(client, AuthMethod.SECRET_BASIC if value else AuthMethod.NONE, value)

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"authcenter_{name}", labels) or 0.0

    @property
    def signer(self) -> SigningKey:
        """The key that signs."""
        return self.core.keys.ring.signer("ES256")

    @property
    def granter(self) -> Any:
        return self._endpoint("token").granter

    def _endpoint(self, name: str) -> Any:
        frame: Any = self.service.public.__self__  # type: ignore[attr-defined]
        return frame.router.find(f"/oauth/{name}").handlers["POST"].__self__

    def _stores(self) -> Stores:
        through, record = self.board.through, self.record
        return Stores(
            clients=through("clients", MemoryClientStore(record)),
            resources=through("resources", MemoryResourceStore(record)),
            users=through("users", MemoryUserStore(record)),
            sign_ups=through("sign_ups", MemorySignUpStore(record)),
            keys=through("keys", MemorySigningKeyStore(record)),
            refresh_tokens=through("refresh_tokens", MemoryRefreshTokenStore(record)),
            revocations=through("revocations", MemoryRevocationStore(record)),
            changes=through("changes", MemoryChangeFeed(record)),
            audit=through("audit", MemoryAuditLog(record)),
            trail=through("trail", MemoryAuditTrail(record)),
            traces=through("traces", MemoryRequestTraces(record)),
            pauses=through("pauses", MemoryRotationPauses(record)),
            locks=through("locks", MemoryLocks(record)),
            eviction=through("eviction", MemoryEviction(record)),
            status_lists=through("status_lists", MemoryStatusListStore(record)),
            sessions=through("sessions", MemorySessionStore(record)),
            consents=through("consents", MemoryConsentStore(record)),
            codes=through("codes", MemoryAuthorizationCodeStore(record)),
            device_codes=through("device_codes", MemoryDeviceCodeStore(record)),
            pushed=through("pushed", MemoryPushedRequestStore(record)),
            pairwise=through("pairwise", MemoryPairwiseSubjects(record)),
            outbox=through("outbox", MemoryOutbox(record)),
            initial_tokens=through("initial_tokens", MemoryInitialAccessTokens(record)),
            identities=through("identities", MemoryIdentityStore(record)),
            totp=through("totp", MemoryTotpStore(record)),
            recovery_codes=through("recovery_codes", MemoryRecoveryCodeStore(record)),
            factors=through("factors", MemoryFactorStore(record)),
            passkeys=through("passkeys", MemoryPasskeyStore(record)),
            unused_clients=through("unused_clients", MemoryUnusedClients(record)),
            password_resets=through("password_resets", MemoryPasswordResetStore(record)),
            address_changes=through("address_changes", MemoryAddressChangeStore(record)),
            persons=through("persons", MemoryPersonStore(record)),
        )


def settings(**environ: str) -> BootSettings:
    """Boot settings of a test; keyword arguments are environment variables without their prefix."""
    values: Mapping[str, str] = {
        "ISSUER": ISSUER,
        "SECRET_KEY": urlsafe_b64encode(bytes(range(32))).decode(),
        "KEY_PASSPHRASE": PASSPHRASE.decode(),
        **environ,
    }
    return load_boot_settings(None, {f"AUTHCENTER_{name}": value for name, value in values.items()})


@functools.cache
def private_key(alg: Alg, number: int = 0) -> Any:
    """A private key, made once a process: those of RSA cost a tenth of a second."""
    return ALGORITHMS[alg].generate()


@functools.cache
def stored_key(alg: Alg, number: int = 0, signs_from: datetime = START - timedelta(days=1)) -> StoredKey:
    """A key as the record holds it."""
    private = private_key(alg, number)
    jwk = signature_jwk(private.public_key(), alg)
    pem = KeyVault([PASSPHRASE]).lock(private)
    return StoredKey(Kid(jwk["kid"]), alg, jwk, pem, signs_from, signs_from)


def decoded(segment: str) -> bytes:
    """base64url, leniently."""
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


@contextmanager
def refused(rule: Rule) -> Iterator[None]:
    """A refusal by this rule, and no other."""
    with pytest.raises(OAuthError) as caught:
        yield
    assert caught.value.rule is rule, caught.value


@contextmanager
def rejected(rule: Rule, reason: Reason | None = None) -> Iterator[None]:
    """A token that does not hold, by this rule."""
    with pytest.raises(TokenRejected) as caught:
        yield
    assert caught.value.rule is rule, caught.value
    assert reason is None or caught.value.reason is reason
