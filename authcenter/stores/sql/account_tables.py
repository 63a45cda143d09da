"""The tables of accounts: one-time links in mails, identities elsewhere, second factors."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from authcenter.stores.sql.columns import Instant, Json, metadata

address_verifications = Table(
    "address_verifications",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("email", String(320), nullable=False),
    Column("email_key", String(640), nullable=False),
    Column("subject", String(64)),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("spent_at", Instant),
    Index(None, "email_key"),
    Index(None, "subject"),
    Index(None, "expires_at"),
)

password_reset_tokens = Table(
    "password_reset_tokens",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("subject", String(64), ForeignKey("users.subject", ondelete="CASCADE"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("spent_at", Instant),
    Index(None, "subject"),
    Index(None, "expires_at"),
)

identities = Table(
    "identities",
    metadata,
    Column("provider", String(64), primary_key=True),
    Column("provider_subject", String(255), primary_key=True),
    Column("subject", String(64), ForeignKey("users.subject", ondelete="CASCADE"), nullable=False),
    Column("email", String(320), nullable=False),
    Column("name", String(255), nullable=False),
    Column("linked_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Index(None, "subject"),
)

totp_secrets = Table(
    "totp_secrets",
    metadata,
    Column("subject", String(64), ForeignKey("users.subject", ondelete="CASCADE"), primary_key=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("last_step", BigInteger, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("subject", String(64), ForeignKey("users.subject", ondelete="CASCADE"), primary_key=True),
    Column("mac", String(128), primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("spent_at", Instant),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("credential_id", LargeBinary(1023), primary_key=True),
    Column("subject", String(64), ForeignKey("users.subject", ondelete="CASCADE"), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("transports", Json, nullable=False),
    Column("aaguid", String(36), nullable=False),
    Column("name", Text, nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revision", Integer, nullable=False),
    Index(None, "subject"),
)
