"""Where what instances share lives while Redis is gone: used values and rate counters."""

import sqlalchemy as sa
from alembic import op

revision = "0003_shared"
down_revision = "0002_rotation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_values",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_used_values"),
    )
    op.create_index("ix_used_values_expires_at", "used_values", ["expires_at"])

    op.create_table(
        "rate_counters",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_rate_counters"),
    )
    op.create_index("ix_rate_counters_free_at", "rate_counters", ["free_at"])


def downgrade() -> None:
    for table in ("rate_counters", "used_values"):
        op.drop_table(table)
