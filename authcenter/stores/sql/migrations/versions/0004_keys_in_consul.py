"""Signing keys in Consul: the newest generation of their document that the record knows."""

import sqlalchemy as sa
from alembic import op

revision = "0004_keys_in_consul"
down_revision = "0003_shared"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "keys_document",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_keys_document"),
    )
    op.bulk_insert(table, [{"id": 1, "generation": 0}])


def downgrade() -> None:
    op.drop_table("keys_document")
