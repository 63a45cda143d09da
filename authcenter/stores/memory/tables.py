"""The tables: dictionaries of frozen values."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Self

from authcenter.core.account_links import AddressChange, ResetLink
from authcenter.core.authorization import AuthorizationCode, PushedRequest
from authcenter.core.client import Client
from authcenter.core.consent import Consent
from authcenter.core.cut import Cut, CutKind, RevokedToken
from authcenter.core.device import DeviceAuthorization
from authcenter.core.digest import Digest
from authcenter.core.identity import Identity
from authcenter.core.job import Job, logout_jobs
from authcenter.core.passkey import Passkey
from authcenter.core.registration import InitialAccessToken
from authcenter.core.resource import Resource
from authcenter.core.second_factor import TotpSecret
from authcenter.core.session import Session
from authcenter.core.sign_up import SignUpLink
from authcenter.core.status import StatusEntry, StatusList
from authcenter.core.token import RefreshToken, TokenFamily
from authcenter.stores.ports.accounts import UserCredentials
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import Checkpoint
from authcenter.stores.ports.keys import RotationPause, StoredKey
from authcenter.stores.ports.request_traces import RequestTrace


@dataclass(frozen=True, slots=True)
class ListRow:
    """A status list: the key of its numbers, and how many of them are taken."""

    listed: StatusList
    key: bytes
    taken: int


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A job at rest; ``due_at`` is also when the lease of who holds it lapses."""

    job: Job
    created_at: datetime
    due_at: datetime
    attempts: int = 0
    holder: str = ""
    done_at: datetime | None = None
    dead_at: datetime | None = None
    last_error: str = ""

    @property
    def waiting(self) -> bool:
        """Neither done nor buried."""
        return self.done_at is None and self.dead_at is None


@dataclass(frozen=True, slots=True)
class Tables:
    """All that is recorded, by key.

    Attributes:
        revoked: With the instant of the revocation.
        cuts: With the instant they were made at.
        changes: By kind and key: a rising number, and the instant of the newest change.
        leases: By name of the lock: its holder, and when it lapses.
        sessions: With the digest of the cookie, by id.
        session_clients: Since when, by session and client.
        audit: In the order of writing.
    """

    clients: dict[str, Client] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    users: dict[str, UserCredentials] = field(default_factory=dict)
    sign_ups: dict[Digest, SignUpLink] = field(default_factory=dict)
    families: dict[str, TokenFamily] = field(default_factory=dict)
    tokens: dict[str, RefreshToken] = field(default_factory=dict)
    keys: dict[str, StoredKey] = field(default_factory=dict)
    revoked: dict[Digest, tuple[RevokedToken, datetime]] = field(default_factory=dict)
    cuts: dict[tuple[CutKind, str], tuple[Cut, datetime]] = field(default_factory=dict)
    changes: dict[tuple[str, str], tuple[int, datetime]] = field(default_factory=dict)
    pauses: dict[str, RotationPause] = field(default_factory=dict)
    leases: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    sessions: dict[str, tuple[Session, Digest]] = field(default_factory=dict)
    session_clients: dict[tuple[str, str], datetime] = field(default_factory=dict)
    consents: dict[tuple[str, str], Consent] = field(default_factory=dict)
    codes: dict[Digest, AuthorizationCode] = field(default_factory=dict)
    devices: dict[Digest, DeviceAuthorization] = field(default_factory=dict)
    pushed: dict[Digest, PushedRequest] = field(default_factory=dict)
    pairwise: dict[tuple[str, str], str] = field(default_factory=dict)
    outbox: dict[str, OutboxRow] = field(default_factory=dict)
    initial_tokens: dict[Digest, InitialAccessToken] = field(default_factory=dict)
    reset_links: dict[Digest, ResetLink] = field(default_factory=dict)
    address_changes: dict[Digest, AddressChange] = field(default_factory=dict)
    audit: list[AuditRow] = field(default_factory=list)
    audit_checkpoints: list[Checkpoint] = field(default_factory=list)
    request_traces: dict[str, RequestTrace] = field(default_factory=dict)
    status_lists: dict[str, ListRow] = field(default_factory=dict)
    status_entries: dict[tuple[str, int], StatusEntry] = field(default_factory=dict)
    identities: dict[tuple[str, str], Identity] = field(default_factory=dict)
    totp_secrets: dict[str, TotpSecret] = field(default_factory=dict)
    recovery_codes: dict[tuple[str, str], datetime | None] = field(default_factory=dict)
    passkeys: dict[bytes, Passkey] = field(default_factory=dict)

    def copy(self) -> Self:
        """The same values in tables of their own."""
        return type(self)(*(getattr(self, table.name).copy() for table in fields(self)))

    def note_change(self, kind: str, key: str, at: datetime) -> None:
        """Say that ``key`` is about to read otherwise."""
        number, _ = self.changes.get((kind, key), (0, at))
        self.changes[kind, key] = (number + 1, at)

    def end_session(self, session_id: str, ended_at: datetime, at: datetime) -> None:
        """End one that has not ended."""
        session, cookie = self.sessions[session_id]
        self.sessions[session_id] = (replace(session, ended_at=ended_at), cookie)
        self.note_change("session", cookie.hex(), at)
        signed_in = (self.clients.get(client) for held, client in self.session_clients if held == session_id)
        told = [one.client_id for one in signed_in if one and one.relying_party.backchannel_logout_uri]
        self.add_jobs(logout_jobs(session_id, session.subject, told), at)

    def has_ended(self, session_id: str) -> bool:
        held = self.sessions.get(session_id)
        return held is not None and held[0].ended_at is not None

    def add_jobs(self, jobs: Iterable[Job], at: datetime) -> None:
        """Leave jobs, due at once or after their delay. One that is there already is left as it is."""
        for job in jobs:
            self.outbox.setdefault(job.job_id, OutboxRow(job, at, at + job.delay))
