"""All stores of one record, on any backend."""

from dataclasses import dataclass
from pathlib import Path

from authcenter.audit.chain import GENESIS, first_break, link
from authcenter.audit.checkpoints import CheckpointKeys
from authcenter.core.clock import SystemClock
from authcenter.core.event import Event
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
from authcenter.stores.ports.accounts import UserStore
from authcenter.stores.ports.address_changes import AddressChangeStore
from authcenter.stores.ports.audit import AuditLog, AuditRow
from authcenter.stores.ports.audit_trail import AuditTrail
from authcenter.stores.ports.clients import ClientStore, ResourceStore
from authcenter.stores.ports.codes import AuthorizationCodeStore, PairwiseSubjects, PushedRequestStore
from authcenter.stores.ports.devices import DeviceCodeStore
from authcenter.stores.ports.erasure import PersonStore
from authcenter.stores.ports.eviction import Eviction
from authcenter.stores.ports.identities import IdentityStore
from authcenter.stores.ports.keys import RotationPauses, SigningKeyStore
from authcenter.stores.ports.locks import Locks
from authcenter.stores.ports.outbox import Outbox
from authcenter.stores.ports.passkeys import PasskeyStore
from authcenter.stores.ports.password_resets import PasswordResetStore
from authcenter.stores.ports.registration import InitialAccessTokens
from authcenter.stores.ports.request_traces import RequestTraces
from authcenter.stores.ports.second_factors import FactorStore, RecoveryCodeStore, TotpStore
from authcenter.stores.ports.sessions import ConsentStore, SessionStore
from authcenter.stores.ports.sign_ups import SignUpStore
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
from authcenter.stores.sql.identities import SqlIdentityStore
from authcenter.stores.sql.keys import SqlRotationPauses, SqlSigningKeyStore
from authcenter.stores.sql.locks import SqlLocks
from authcenter.stores.sql.outbox import SqlOutbox
from authcenter.stores.sql.passkeys import SqlPasskeyStore
from authcenter.stores.sql.password_resets import SqlPasswordResetStore
from authcenter.stores.sql.registration import SqlInitialAccessTokens
from authcenter.stores.sql.request_traces import SqlRequestTraces
from authcenter.stores.sql.resources import SqlResourceStore
from authcenter.stores.sql.revocations import SqlRevocationStore
from authcenter.stores.sql.second_factors import SqlFactorStore, SqlRecoveryCodeStore, SqlTotpStore
from authcenter.stores.sql.sessions import SqlSessionStore
from authcenter.stores.sql.sign_ups import SqlSignUpStore
from authcenter.stores.sql.status_lists import SqlStatusListStore
from authcenter.stores.sql.tokens import SqlRefreshTokenStore
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.unused_clients import SqlUnusedClients
from authcenter.stores.sql.users import SqlUserStore

KEYS = CheckpointKeys.derive([b"a root secret of 32 bytes or more"])
"""Prove erasures."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Every port over one record, as one process holds them.

    Attributes:
        counted: The events that were counted as committed, in order.
    """

    clients: ClientStore
    resources: ResourceStore
    users: UserStore
    sign_ups: SignUpStore
    refresh_tokens: RefreshTokenStore
    revocations: RevocationStore
    changes: ChangeFeed
    keys: SigningKeyStore
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
    counted: list[Event]

    async def proven_rows(self) -> list[AuditRow]:
        """The audit rows, whose chains hold."""
        rows = list(await self.audit.rows())
        assert first_break(rows, KEYS.proves) is None
        return rows


def memory_stores(record: MemoryRecord, counted: list[Event]) -> Stores:
    return Stores(
        clients=MemoryClientStore(record),
        resources=MemoryResourceStore(record),
        users=MemoryUserStore(record),
        sign_ups=MemorySignUpStore(record),
        refresh_tokens=MemoryRefreshTokenStore(record),
        revocations=MemoryRevocationStore(record),
        changes=MemoryChangeFeed(record),
        keys=MemorySigningKeyStore(record),
        audit=MemoryAuditLog(record),
        trail=MemoryAuditTrail(record),
        traces=MemoryRequestTraces(record),
        pauses=MemoryRotationPauses(record),
        locks=MemoryLocks(record),
        eviction=MemoryEviction(record),
        status_lists=MemoryStatusListStore(record),
        sessions=MemorySessionStore(record),
        consents=MemoryConsentStore(record),
        codes=MemoryAuthorizationCodeStore(record),
        device_codes=MemoryDeviceCodeStore(record),
        pushed=MemoryPushedRequestStore(record),
        pairwise=MemoryPairwiseSubjects(record),
        outbox=MemoryOutbox(record),
        initial_tokens=MemoryInitialAccessTokens(record),
        identities=MemoryIdentityStore(record),
        totp=MemoryTotpStore(record),
        recovery_codes=MemoryRecoveryCodeStore(record),
        factors=MemoryFactorStore(record),
        passkeys=MemoryPasskeyStore(record),
        unused_clients=MemoryUnusedClients(record),
        password_resets=MemoryPasswordResetStore(record),
        address_changes=MemoryAddressChangeStore(record),
        persons=MemoryPersonStore(record),
        counted=counted,
    )


def sql_stores(database: Database) -> Stores:
    counted: list[Event] = []
    transactions = Transactions(database, SystemClock(), link, GENESIS, counted.append)
    return Stores(
        clients=SqlClientStore(database, transactions),
        resources=SqlResourceStore(database, transactions),
        users=SqlUserStore(database, transactions),
        sign_ups=SqlSignUpStore(database, transactions),
        refresh_tokens=SqlRefreshTokenStore(database, transactions),
        revocations=SqlRevocationStore(database, transactions),
        changes=SqlChangeFeed(database),
        keys=SqlSigningKeyStore(database, transactions),
        audit=SqlAuditLog(database, transactions),
        trail=SqlAuditTrail(database),
        traces=SqlRequestTraces(database),
        pauses=SqlRotationPauses(database, transactions),
        locks=SqlLocks(database),
        eviction=SqlEviction(database),
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
        counted=counted,
    )


def new_memory_record(counted: list[Event]) -> MemoryRecord:
    return MemoryRecord(SystemClock(), link, GENESIS, counted.append)


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"
