"""All that a diagnosis knows of a deployment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from authcenter.core.client import Client
from authcenter.keys.ring import EMPTY_RING, KeyRing
from authcenter.settings.boot import BootSettings
from authcenter.settings.policy import Policy
from authcenter.stores.ports.condition import ClockReading, HashCosts, RedisCondition
from authcenter.stores.ports.schema import SchemaState


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Somebody who was asked and could not tell. ``hint``: why, as far as is known."""

    hint: str


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """How the database is."""

    schema: SchemaState
    clock: ClockReading


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """How the audit log is kept.

    Attributes:
        settled_at: When the newest row was written that a checkpoint should have covered by now; None: no such row.
        checkpoint_at: When the last checkpoint was signed; None: never.
    """

    settled_at: datetime | None = None
    checkpoint_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What the record holds.

    Attributes:
        unreadable_keys: The kids of rows that are no keys.
        paused_since: When rotation by policy was stopped; None: it goes on.
        hash_costs: Of the passwords of people, but for those hashed here.
    """

    clients: Sequence[Client] = ()
    ring: KeyRing = EMPTY_RING
    unreadable_keys: Sequence[str] = ()
    paused_since: datetime | None = None
    hash_costs: HashCosts = field(default_factory=dict)
    audit: AuditFacts = field(default_factory=AuditFacts)


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """Audit rows that wait on this machine's disk. ``written_at``: when the last one came."""

    name: str
    size: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """A deployment at one instant.

    Attributes:
        policy_source: Where the policy in force is from: ``file``, ``consul``, ``last good copy``; empty: nobody knows.
        development_secrets: The settings whose value is the one that a development server made for itself.
        record: None: not looked at, since the database does not answer or has another schema.
        redis: None: there is none.
    """

    now: datetime
    settings: BootSettings
    policy: Policy
    policy_source: str = "file"
    development_secrets: frozenset[str] = frozenset()
    database: DatabaseFacts | Unanswered | None = None
    record: RecordFacts | Unanswered | None = None
    redis: Sequence[RedisCondition] | Unanswered | None = None
    spool: Sequence[SpoolFile] = ()

    @property
    def production(self) -> bool:
        return self.settings.env == "production"
