"""The record: every store over one database."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from authcenter.audit.chain import GENESIS, link
from authcenter.core.clock import Clock
from authcenter.core.event import Event
from authcenter.settings.boot import BootSettings
from authcenter.stores.consul.keys import ConsulSigningKeyStore
from authcenter.stores.ports.accounts import UserStore
from authcenter.stores.ports.address_changes import AddressChangeStore
from authcenter.stores.ports.audit import AuditLog
from authcenter.stores.ports.audit_trail import AuditTrail
from authcenter.stores.ports.clients import ClientStore, ResourceStore
from authcenter.stores.ports.codes import AuthorizationCodeStore, PairwiseSubjects, PushedRequestStore
from authcenter.stores.ports.condition import HashCosts
from authcenter.stores.ports.devices import DeviceCodeStore
from authcenter.stores.ports.erasure import PersonStore
from authcenter.stores.ports.eviction import Eviction
from authcenter.stores.ports.identities import IdentityStore
from authcenter.stores.ports.keys import KeysSettlement, RotationPauses, SigningKeyStore
from authcenter.stores.ports.locks import Locks
from authcenter.stores.ports.outbox import Outbox
from authcenter.stores.ports.passkeys import PasskeyStore
from authcenter.stores.ports.password_resets import PasswordResetStore
from authcenter.stores.ports.registration import InitialAccessTokens
from authcenter.stores.ports.request_traces import RequestTraces
from authcenter.stores.ports.schema import SchemaState
from authcenter.stores.ports.second_factors import FactorStore, RecoveryCodeStore, TotpStore
from authcenter.stores.ports.sessions import ConsentStore, SessionStore
from authcenter.stores.ports.sign_ups import SignUpStore
from authcenter.stores.ports.spread import RevocationSpread
from authcenter.stores.ports.status_lists import StatusListStore
from authcenter.stores.ports.tokens import ChangeFeed, RefreshTokenStore, RevocationStore
from authcenter.stores.ports.unused_clients import UnusedClients
from authcenter.stores.sql.address_changes import SqlAddressChangeStore
from authcenter.stores.sql.audit import SqlAuditLog
from authcenter.stores.sql.audit_trail import SqlAuditTrail
from authcenter.stores.sql.changes import SqlChangeFeed
from authcenter.stores.sql.clients import SqlClientStore
from authcenter.stores.sql.codes import SqlAuthorizationCodeStore, SqlPairwiseSubjects, SqlPushedRequestStore
from authcenter.stores.sql.consents import SqlConsentStore
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.devices import SqlDeviceCodeStore
from authcenter.stores.sql.erasure import SqlPersonStore
from authcenter.stores.sql.eviction import SqlEviction
from authcenter.stores.sql.hash_costs import hash_costs
from authcenter.stores.sql.identities import SqlIdentityStore
from authcenter.stores.sql.keys import SqlRotationPauses, SqlSigningKeyStore
from authcenter.stores.sql.locks import SqlLocks
from authcenter.stores.sql.outage import OnOutage
from authcenter.stores.sql.outbox import SqlOutbox
from authcenter.stores.sql.passkeys import SqlPasskeyStore
from authcenter.stores.sql.password_resets import SqlPasswordResetStore
from authcenter.stores.sql.registration import SqlInitialAccessTokens
from authcenter.stores.sql.request_traces import SqlRequestTraces
from authcenter.stores.sql.resources import SqlResourceStore
from authcenter.stores.sql.revocations import SqlRevocationStore
from authcenter.stores.sql.schema import schema_state, upgrade_schema
from authcenter.stores.sql.second_factors import SqlFactorStore, SqlRecoveryCodeStore, SqlTotpStore
from authcenter.stores.sql.sessions import SqlSessionStore
from authcenter.stores.sql.settled_keys import SqlKeysSettlement
from authcenter.stores.sql.sign_ups import SqlSignUpStore
from authcenter.stores.sql.status_lists import SqlStatusListStore
from authcenter.stores.sql.tokens import SqlRefreshTokenStore
from authcenter.stores.sql.transactions import NOBODY, Announcements, Transactions
from authcenter.stores.sql.unused_clients import SqlUnusedClients
from authcenter.stores.sql.users import SqlUserStore
from authcenter.telemetry.tracing import Tracing
from authcenter.wiring.keys import open_keys_in_consul
from authcenter.wiring.shared import Shared, Spread, open_shared


@dataclass(frozen=True, slots=True)
class Stores:
    """The record, behind its ports.

    Attributes:
        settlement: The record's part where the keys are in Consul.
        keys_in_consul: ``keys``, where they are.
    """

    clients: ClientStore
    resources: ResourceStore
    users: UserStore
    sign_ups: SignUpStore
    keys: SigningKeyStore
    refresh_tokens: RefreshTokenStore
    revocations: RevocationStore
    changes: ChangeFeed
    audit: AuditLog
    trail: AuditTrail
    traces: RequestTraces
    pauses: RotationPauses
    locks: Locks
    eviction: Eviction
    status_lists: StatusListStore
    sessions: SessionStore
    consents: ConsentStore
    codes: AuthorizationCodeStore
    device_codes: DeviceCodeStore
    pushed: PushedRequestStore
    pairwise: PairwiseSubjects
    outbox: Outbox
    initial_tokens: InitialAccessTokens
    identities: IdentityStore
    totp: TotpStore
    recovery_codes: RecoveryCodeStore
    factors: FactorStore
    passkeys: PasskeyStore
    unused_clients: UnusedClients
    password_resets: PasswordResetStore
    address_changes: AddressChangeStore
    persons: PersonStore
    settlement: KeysSettlement | None = None
    keys_in_consul: ConsulSigningKeyStore | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The database: its schema, and the stores over it; beside it, the state that instances share."""

    stores: Stores
    shared: Shared
    _database: Database

    @property
    def spread(self) -> Spread | None:
        """How revocations reach other instances, where there is a Redis."""
        return self.shared.spread

    @property
    def strict(self) -> RevocationSpread | None:
        """Whom to ask at every validation where the policy says ``strict``."""
        return self.spread.revocations if self.spread else None

    async def schema(self) -> SchemaState:
        """Which schema it has. Raises ``StoreUnavailable``."""
        return await schema_state(self._database)

    async def upgrade_schema(self) -> SchemaState:
        """Bring it to the newest. Raises ``StoreUnavailable``."""
        return await upgrade_schema(self._database)

    async def hash_costs(self, usual: str) -> HashCosts:
        """What the password hashes cost that are not of the cost ``usual``. Raises ``StoreUnavailable``."""
        return await hash_costs(self._database, usual)


@asynccontextmanager
async def open_record(
    settings: BootSettings,
    clock: Clock,
    on_event: Callable[[Event], None] = lambda _: None,
    on_outage: OnOutage | None = None,
    tracing: Tracing | None = None,
    redis_seconds: float | None = None,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Record]:
    """Nothing is connected before it is used. Closed at the end, also when something fails halfway.

    Args:
        on_event: Told of each audit event once it is committed.
        on_outage: Told when the database is gone or back; given, everything is refused at once while it is gone.
        redis_seconds: How long Redis may take to answer; None: no longer than a request can wait.
        environ: Consul's own variables for TLS.
    """
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, on_outage=on_outage, tracing=tracing)
        stack.push_async_callback(database.close)
        shared = await stack.enter_async_context(open_shared(settings, database, clock, tracing, redis_seconds))
        spread = shared.spread
        announce = Announcements(shared.announce, spread.announcer.tell if spread else None, shared.jobs.push)
        stores = sql_stores(database, clock, on_event, announce)
        if settings.consul_url and stores.settlement is not None:
            keys = await stack.enter_async_context(open_keys_in_consul(settings, environ or {}, stores.settlement))
            stores = replace(stores, keys=keys, keys_in_consul=keys)
        yield Record(stores, shared, database)


def sql_stores(
    database: Database,
    clock: Clock,
    on_event: Callable[[Event], None],
    announce: Announcements = NOBODY,
) -> Stores:
    """Every port over one database."""
    transactions = Transactions(database, clock, link, GENESIS, on_event, announce)
    return Stores(
        clients=SqlClientStore(database, transactions),
        resources=SqlResourceStore(database, transactions),
        users=SqlUserStore(database, transactions),
        sign_ups=SqlSignUpStore(database, transactions),
        keys=SqlSigningKeyStore(database, transactions),
        refresh_tokens=SqlRefreshTokenStore(database, transactions),
        revocations=SqlRevocationStore(database, transactions),
        changes=SqlChangeFeed(database),
        audit=SqlAuditLog(database, transactions),
        trail=SqlAuditTrail(database),
        traces=SqlRequestTraces(database),
        pauses=SqlRotationPauses(database, transactions),
        locks=SqlLocks(database),
        eviction=SqlEviction(database),
        settlement=SqlKeysSettlement(database, transactions),
        status_lists=SqlStatusListStore(database),
        sessions=SqlSessionStore(database, transactions),
        consents=SqlConsentStore(database, transactions),
        codes=SqlAuthorizationCodeStore(database, transactions),
        device_codes=SqlDeviceCodeStore(database, transactions),
        pushed=SqlPushedRequestStore(database, transactions),
        pairwise=SqlPairwiseSubjects(database, transactions),
        outbox=SqlOutbox(database, transactions),
        initial_tokens=SqlInitialAccessTokens(database, transactions),
        identities=SqlIdentityStore(database, transactions),
        totp=SqlTotpStore(database, transactions),
        recovery_codes=SqlRecoveryCodeStore(database, transactions),
        factors=SqlFactorStore(database, transactions),
        passkeys=SqlPasskeyStore(database, transactions),
        unused_clients=SqlUnusedClients(database),
        password_resets=SqlPasswordResetStore(database, transactions),
        address_changes=SqlAddressChangeStore(database, transactions),
        persons=SqlPersonStore(database, transactions),
    )
