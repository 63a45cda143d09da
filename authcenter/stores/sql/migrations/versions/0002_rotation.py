"""Rotation of keys by policy, locks of background work, and what finds dead rows."""

import sqlalchemy as sa
from alembic import op

revision = "0002_rotation"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rotation = op.create_table(
        "key_rotation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("paused_by", sa.String(length=320), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_key_rotation"),
    )
    # There is always this one row: whoever makes the next key locks it.
    op.bulk_insert(rotation, [{"id": 1, "paused_at": None, "paused_until": None, "paused_by": ""}])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("lapses_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_index("ix_leases_lapses_at", "leases", ["lapses_at"])
    op.create_index("ix_token_families_ended_at", "token_families", ["ended_at"])
    op.create_index("ix_revocation_cuts_expires_at", "revocation_cuts", ["expires_at"])


def downgrade() -> None:
    op.drop_index("ix_revocation_cuts_expires_at", "revocation_cuts")
    op.drop_index("ix_token_families_ended_at", "token_families")
    op.drop_table("leases")
    op.drop_table("key_rotation")
