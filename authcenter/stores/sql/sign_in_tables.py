"""The tables of people's sign-ins: sessions, consents, codes, and what clients and jobs bring along."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from authcenter.stores.sql.columns import Instant, Json, metadata

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", String(64), primary_key=True),
    Column("cookie_digest", LargeBinary(32), nullable=False, unique=True),
    Column("subject", String(64), nullable=False),
    Column("auth_time", Instant, nullable=False),
    Column("acr", String(255), nullable=False),
    Column("amr", Json, nullable=False),
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
    Column("claims", Json, nullable=False),
    Column("resources", Json, nullable=False),
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
    Column("audience", Json, nullable=False),
    Column("subject", String(64), nullable=False),
    Column("sign_in", Json, nullable=False),
    Column("claims", Json, nullable=False),
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
    Column("parameters", Json, nullable=False),
    Column("resources", Json, nullable=False),
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
    Column("audience", Json, nullable=False),
    Column("family_id", String(64), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("interval_seconds", Integer, nullable=False),
    Column("polled_at", Instant),
    Column("hurried", Boolean, nullable=False),
    Column("subject", String(64)),
    Column("known_as", String(64)),
    Column("sign_in", Json),
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
    Column("payload", Json, nullable=False),
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
