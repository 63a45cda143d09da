"""What people need to have and to keep an account: links in mails, identities elsewhere, second factors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007_accounts"
down_revision = "0006_interactive"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("users", sa.Column("reset_required_at", sa.BigInteger()))
    op.add_column("users", sa.Column("erased_at", sa.BigInteger()))

    op.create_table(
        "address_verifications",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=640), nullable=False),
        sa.Column("subject", sa.String(length=64)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("spent_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("digest", name="pk_address_verifications"),
    )
    for column in ("email_key", "expires_at", "subject"):
        op.create_index(f"ix_address_verifications_{column}", "address_verifications", [column])

    op.create_table(
        "password_reset_tokens",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("spent_at", sa.BigInteger()),
        _of_user("password_reset_tokens"),
        sa.PrimaryKeyConstraint("digest", name="pk_password_reset_tokens"),
    )
    for column in ("expires_at", "subject"):
        op.create_index(f"ix_password_reset_tokens_{column}", "password_reset_tokens", [column])

    op.create_table(
        "identities",
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("provider_subject", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        _of_user("identities"),
        sa.PrimaryKeyConstraint("provider", "provider_subject", name="pk_identities"),
    )
    op.create_index("ix_identities_subject", "identities", ["subject"])

    op.create_table(
        "totp_secrets",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger()),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        _of_user("totp_secrets"),
        sa.PrimaryKeyConstraint("subject", name="pk_totp_secrets"),
    )

    op.create_table(
        "recovery_codes",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("spent_at", sa.BigInteger()),
        _of_user("recovery_codes"),
        sa.PrimaryKeyConstraint("subject", "mac", name="pk_recovery_codes"),
    )

    op.create_table(
        "passkeys",
        sa.Column("credential_id", sa.LargeBinary(length=1023), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", JSON, nullable=False),
        sa.Column("aaguid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.Column("revision", sa.Integer(), nullable=False),
        _of_user("passkeys"),
        sa.PrimaryKeyConstraint("credential_id", name="pk_passkeys"),
    )
    op.create_index("ix_passkeys_subject", "passkeys", ["subject"])


def downgrade() -> None:
    for table in (
        "address_verifications",
        "password_reset_tokens",
        "identities",
        "totp_secrets",
        "recovery_codes",
        "passkeys",
    ):
        op.drop_table(table)
    op.drop_column("users", "erased_at")
    op.drop_column("users", "reset_required_at")


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["subject"], ["users.subject"], name=f"fk_{table}_subject", ondelete="CASCADE")
