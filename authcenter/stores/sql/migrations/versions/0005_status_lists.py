"""Status lists (draft-ietf-oauth-status-list): which place of which list belongs to which access token."""

import sqlalchemy as sa
from alembic import op

revision = "0005_status_lists"
down_revision = "0004_keys_in_consul"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "status_lists",
        sa.Column("list_id", sa.String(length=32), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("lapses_at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("index_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("list_id", name="pk_status_lists"),
        sa.UniqueConstraint("lapses_at", "number", name="uq_status_lists_lapses_at_number"),
    )

    op.create_table(
        "status_entries",
        sa.Column("list_id", sa.String(length=32), nullable=False),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("family_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("list_id", "idx", name="pk_status_entries"),
    )


def downgrade() -> None:
    for table in ("status_entries", "status_lists"):
        op.drop_table(table)
