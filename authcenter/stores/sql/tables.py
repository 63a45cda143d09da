"""The tables but those of sign-ins. Migrations bring a database to both; a test holds them together."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from authcenter.stores.sql.columns import Instant, Json, metadata

clients = Table(
    "clients",
    metadata,
    Column("client_id", String(255), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("profile", String(16), nullable=False),
    Column("auth_methods", Json, nullable=False),
    Column("grants", Json, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("audiences", Json, nullable=False),
    Column("serves", Json, nullable=False),
    Column("redirect_uris", Json, nullable=False),
    Column("origins", Json, nullable=False),
    Column("first_party", Boolean, nullable=False),
    Column("lifetimes", Json, nullable=False),
    Column("on_outage", String(16)),
    Column("secrets", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("cut_at", Instant),
    Column("revision", Integer, nullable=False),
    Column("relying_party", Json, nullable=False, server_default="{}"),
)

resources = Table(
    "resources",
    metadata,
    Column("resource_id", String(512), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("scopes", Json, nullable=False),
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
    Column("roles", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("cut_at", Instant),
    Column("revision", Integer, nullable=False),
    Column("claims", Json, nullable=False, server_default="{}"),
    Column("reset_required_at", Instant),
    Column("erased_at", Instant),
)

families = Table(
    "token_families",
    metadata,
    Column("family_id", String(64), primary_key=True),
    Column("client_id", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("session_id", String(64), nullable=False),
    Column("scope", Text, nullable=False),
    Column("audience", Json, nullable=False),
    Column("sign_in", Json, nullable=False),
    Column("approved_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("rotated_at", Instant),
    Column("ended_at", Instant),
    Column("end_reason", String(255), nullable=False),
    Column("known_as", String(64)),
    Column("claims", Json, nullable=False, server_default="{}"),
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
    Column("public_jwk", Json, nullable=False),
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


def _audit_index(column: str, condition: str) -> Index:
    return Index(f"ix_auth_audit_{column}", column, sqlite_where=text(condition), postgresql_where=text(condition))


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
    Column("format", Integer, nullable=False, server_default="1"),
    Column("erased", Text, nullable=False, server_default=text("''")),
    Column("jti", String(64), nullable=False, server_default=text("''")),
    Column("family", String(64), nullable=False, server_default=text("''")),
    Index(None, "occurred_at"),
    Index(None, "request_id"),
    # Of persons: a client's own tokens, which are most of the rows, are found by the client.
    _audit_index("actor", "actor <> client_id"),
    _audit_index("subject", "subject <> client_id"),
    Index(None, "client_id", "occurred_at"),
    _audit_index("jti", "jti <> ''"),
    _audit_index("family", "family <> ''"),
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
