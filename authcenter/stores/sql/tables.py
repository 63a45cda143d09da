"""The tables. Migrations in ``migrations/versions`` bring a database to this; a test holds the two together."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware instant as microseconds since 1970, UTC: exact and ordered on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


_JSON = JSON().with_variant(JSONB(), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

clients = Table(
    "clients",
    metadata,
    Column("client_id", String(255), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("profile", String(16), nullable=False),
    Column("auth_methods", _JSON, nullable=False),
    Column("grants", _JSON, nullable=False),
    Column("scopes", _JSON, nullable=False),
    Column("audiences", _JSON, nullable=False),
    Column("serves", _JSON, nullable=False),
    Column("redirect_uris", _JSON, nullable=False),
    Column("origins", _JSON, nullable=False),
    Column("first_party", Boolean, nullable=False),
    Column("lifetimes", _JSON, nullable=False),
    Column("on_outage", String(16)),
    Column("secrets", _JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("cut_at", Instant),
    Column("revision", Integer, nullable=False),
    Column("relying_party", _JSON, nullable=False, server_default="{}"),
)

resources = Table(
    "resources",
    metadata,
    Column("resource_id", String(512), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("scopes", _JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("revision", Integer, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("username", String(255), nullable=False),
    Column("username_key", String(512), nullable=False, unique=True),
    Column("email", String(320), nullable=False),
    Column("email_key", String(640), nullable=False, unique=True),
    Column("email_verified", Boolean, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("roles", _JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("cut_at", Instant),
    Column("revision", Integer, nullable=False),
    Column("claims", _JSON, nullable=False, server_default="{}"),
)

families = Table(
    "token_families",
    metadata,
    Column("family_id", String(64), primary_key=True),
    Column("client_id", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("session_id", String(64), nullable=False),
    Column("scope", Text, nullable=False),
    Column("audience", _JSON, nullable=False),
    Column("sign_in", _JSON, nullable=False),
    Column("approved_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("rotated_at", Instant),
    Column("ended_at", Instant),
    Column("end_reason", String(255), nullable=False),
    Column("known_as", String(64)),
    Column("claims", _JSON, nullable=False, server_default="{}"),
    Index(None, "client_id"),
    Index(None, "subject"),
    Index(None, "session_id"),
    Index(None, "expires_at"),
    Index(None, "ended_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("selector", String(32), primary_key=True),
    Column("family_id", String(64), ForeignKey("token_families.family_id", ondelete="CASCADE"), nullable=False),
    Column("verifier_mac", String(128), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("spent_at", Instant),
    Column("sealed_answer", LargeBinary),
    Index(None, "family_id"),
    Index(None, "expires_at"),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("alg", String(16), nullable=False),
    Column("public_jwk", _JSON, nullable=False),
    Column("private_pem", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("signs_from", Instant, nullable=False),
    Column("retired_at", Instant),
    Column("revoked_at", Instant),
)

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("jti", String(64), nullable=False),
    Column("family_id", String(64), nullable=False),
    Column("client_id", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("reason", String(255), nullable=False),
    Column("revoked_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "revoked_at"),
    Index(None, "expires_at"),
)

revocation_cuts = Table(
    "revocation_cuts",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("reason", String(255), nullable=False),
    Column("up_to", Instant),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Index(None, "made_at"),
    Index(None, "expires_at"),
)

changes = Table(
    "changes",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("key", String(512), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index(None, "changed_at"),
)

auth_audit = Table(
    "auth_audit",
    metadata,
    Column("writer", String(40), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("occurred_at", String(40), nullable=False),
    Column("event", String(64), nullable=False),
    Column("actor", String(320), nullable=False),
    Column("client_id", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("ip", String(64), nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("context", Text, nullable=False),
    Column("salt", String(32), nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("row_hash", String(64), nullable=False),
    UniqueConstraint("row_hash"),
    Index(None, "occurred_at"),
    Index(None, "request_id"),
)

key_rotation = Table(
    "key_rotation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("paused_at", Instant),
    Column("paused_until", Instant),
    Column("paused_by", String(320), nullable=False),
)

used_values = Table(
    "used_values",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("expires_at", Instant, nullable=False),
    Index(None, "expires_at"),
)

rate_counters = Table(
    "rate_counters",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("free_at", Instant, nullable=False),
    Index(None, "free_at"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("lapses_at", Instant, nullable=False),
    Index(None, "lapses_at"),
)

keys_document = Table(
    "keys_document",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
)

status_lists = Table(
    "status_lists",
    metadata,
    Column("list_id", String(32), primary_key=True),
    Column("begins_at", Instant, nullable=False),
    Column("lapses_at", Instant, nullable=False),
    Column("number", Integer, nullable=False),
    Column("index_key", LargeBinary(16), nullable=False),
    Column("taken", Integer, nullable=False),
    UniqueConstraint("lapses_at", "number"),
)

status_entries = Table(
    "status_entries",
    metadata,
    Column("list_id", String(32), primary_key=True),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("jti", String(64), nullable=False),
    Column("family_id", String(64), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("client_id", String(255), nullable=False),
    Column("session_id", String(64), nullable=False),
    Column("kid", String(64), nullable=False),
    Column("issued_at", Instant, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", String(64), primary_key=True),
    Column("cookie_digest", LargeBinary(32), nullable=False, unique=True),
    Column("subject", String(64), nullable=False),
    Column("auth_time", Instant, nullable=False),
    Column("acr", String(255), nullable=False),
    Column("amr", _JSON, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("ip", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_active_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(None, "subject"),
    Index(None, "expires_at"),
    Index(None, "last_active_at"),
    Index(None, "ended_at"),
)

session_clients = Table(
    "session_clients",
    metadata,
    Column("session_id", String(64), ForeignKey("sessions.session_id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", String(255), primary_key=True),
    Column("since", Instant, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("client_id", String(255), primary_key=True),
    Column("scope", Text, nullable=False),
    Column("claims", _JSON, nullable=False),
    Column("resources", _JSON, nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "client_id"),
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("client_id", String(255), nullable=False),
    Column("redirect_uri", Text),
    Column("code_challenge", String(128)),
    Column("nonce", Text),
    Column("scope", Text, nullable=False),
    Column("audience", _JSON, nullable=False),
    Column("subject", String(64), nullable=False),
    Column("sign_in", _JSON, nullable=False),
    Column("claims", _JSON, nullable=False),
    Column("refreshable", Boolean, nullable=False),
    Column("known_as", String(64)),
    Column("family_id", String(64), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("dpop_jkt", String(64)),
    Column("spent_at", Instant),
    Index(None, "family_id"),
    Index(None, "spent_at", "expires_at"),
)

pushed_requests = Table(
    "pushed_requests",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("client_id", String(255), nullable=False),
    Column("parameters", _JSON, nullable=False),
    Column("resources", _JSON, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("spent_at", Instant),
    Index(None, "expires_at"),
)

device_codes = Table(
    "device_codes",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("user_code_digest", LargeBinary(32), nullable=False, unique=True),
    Column("client_id", String(255), nullable=False),
    Column("scope", Text, nullable=False),
    Column("audience", _JSON, nullable=False),
    Column("family_id", String(64), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("interval_seconds", Integer, nullable=False),
    Column("polled_at", Instant),
    Column("hurried", Boolean, nullable=False),
    Column("subject", String(64)),
    Column("known_as", String(64)),
    Column("sign_in", _JSON),
    Column("answered_at", Instant),
    Column("approved", Boolean),
    Column("spent_at", Instant),
    Index(None, "family_id"),
    Index(None, "spent_at", "expires_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("job", String(40), nullable=False),
    Column("payload", _JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("holder", String(255), nullable=False),
    Column("done_at", Instant),
    Column("dead_at", Instant),
    Column("last_error", String(255), nullable=False),
    Index(None, "due_at"),
    Index(None, "done_at"),
    Index(None, "dead_at"),
)

initial_access_tokens = Table(
    "initial_access_tokens",
    metadata,
    Column("token_id", String(40), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(320), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Index(None, "expires_at"),
)

pairwise_subjects = Table(
    "pairwise_subjects",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("sector", String(255), primary_key=True),
    Column("known_as", String(64), nullable=False, unique=True),
)
