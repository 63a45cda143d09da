"""The tables behind the audit log: how far each chain has come, checkpoints over them all, requests explained."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from authcenter.stores.sql.columns import Instant, metadata

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("writer", String(40), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("row_hash", String(64), nullable=False),
    Column("checkpointed", BigInteger, nullable=False),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("heads", Text, nullable=False),
    Column("archived", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)

request_traces = Table(
    "request_traces",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("method", String(16), nullable=False),
    Column("route", String(255), nullable=False),
    Column("status", Integer, nullable=False),
    Column("client_id", String(255), nullable=False),
    Column("ip", String(64), nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("rule", String(64), nullable=False),
    Column("hint", Text, nullable=False),
    Column("checks", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("slot", Integer),
    UniqueConstraint("slot"),
    Index(None, "at"),
    Index(None, "client_id", "at"),
    Index(None, "expires_at"),
)
