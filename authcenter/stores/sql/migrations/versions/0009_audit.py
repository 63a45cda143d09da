"""What proves the audit log (heads, checkpoints), what finds its rows, and what requests were checked for."""

import sqlalchemy as sa
from alembic import op

revision = "0009_audit"
down_revision = "0008_erasure"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # It repeated what writer and sequence say already, and cost each row an index.
    with op.batch_alter_table("auth_audit") as table:
        table.drop_constraint("uq_auth_audit_row_hash", type_="unique")
        table.add_column(sa.Column("jti", sa.String(length=64), nullable=False, server_default=sa.text("''")))
        table.add_column(sa.Column("family", sa.String(length=64), nullable=False, server_default=sa.text("''")))
    for column in ("actor", "subject"):
        # Those of persons alone: a client's own tokens are most of the rows, and are found by the client.
        op.drop_index(f"ix_auth_audit_{column}", "auth_audit")
        _index_where(column, f"{column} <> client_id")
    op.create_index("ix_auth_audit_client_id_occurred_at", "auth_audit", ["client_id", "occurred_at"])
    for column in ("jti", "family"):
        _index_where(column, f"{column} <> ''")

    op.create_table(
        "audit_heads",
        sa.Column("writer", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("row_hash", sa.String(length=64), nullable=False),
        sa.Column("checkpointed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("writer", name="pk_audit_heads"),
    )
    op.execute(
        "INSERT INTO audit_heads (writer, sequence, row_hash, checkpointed) "
        "SELECT writer, sequence, row_hash, 0 FROM auth_audit AS a "
        "WHERE sequence = (SELECT max(sequence) FROM auth_audit AS b WHERE b.writer = a.writer)"
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("heads", sa.Text(), nullable=False),
        sa.Column("archived", sa.Text(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_checkpoints"),
    )
    op.create_table(
        "request_traces",
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("route", sa.String(length=255), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("checks", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.Integer()),
        sa.PrimaryKeyConstraint("request_id", name="pk_request_traces"),
        sa.UniqueConstraint("slot", name="uq_request_traces_slot"),
    )
    op.create_index("ix_request_traces_at", "request_traces", ["at"])
    op.create_index("ix_request_traces_client_id_at", "request_traces", ["client_id", "at"])
    op.create_index("ix_request_traces_expires_at", "request_traces", ["expires_at"])


def downgrade() -> None:
    for table in ("request_traces", "audit_checkpoints", "audit_heads"):
        op.drop_table(table)
    for index in ("jti", "family", "client_id_occurred_at", "actor", "subject"):
        op.drop_index(f"ix_auth_audit_{index}", "auth_audit")
    for column in ("actor", "subject"):
        op.create_index(f"ix_auth_audit_{column}", "auth_audit", [column])
    with op.batch_alter_table("auth_audit") as audit:
        audit.drop_column("jti")
        audit.drop_column("family")
        audit.create_unique_constraint("uq_auth_audit_row_hash", ["row_hash"])


def _index_where(column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(f"ix_auth_audit_{column}", "auth_audit", [column], sqlite_where=where, postgresql_where=where)
