"""Erasing a person from the audit log: the digests that stay, and the rows that are about somebody by index."""

import sqlalchemy as sa
from alembic import op

revision = "0008_erasure"
down_revision = "0007_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("auth_audit", sa.Column("format", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("auth_audit", sa.Column("erased", sa.Text(), nullable=False, server_default=sa.text("''")))
    for column in ("actor", "subject"):
        op.create_index(f"ix_auth_audit_{column}", "auth_audit", [column])


def downgrade() -> None:
    for column in ("actor", "subject"):
        op.drop_index(f"ix_auth_audit_{column}", "auth_audit")
    op.drop_column("auth_audit", "erased")
    op.drop_column("auth_audit", "format")
