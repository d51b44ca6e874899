"""one-time codes, deliveries, and the mailbox of a development server."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _born(name: str) -> "sa.Column[object]":
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("statement_timestamp()"), nullable=False
    )


def upgrade() -> None:
    op.create_table(
        "codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("sent_to", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        _born("sent_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('PURCHASE', 'TRANSFER', 'EMAIL', 'PASSWORD')", name="codes_purpose_known"
        ),
        sa.CheckConstraint("tries BETWEEN 0 AND 3", name="codes_tries_bounded"),
        sa.CheckConstraint("tries < 3 OR digest IS NULL", name="codes_void_after_the_last_try"),
        sa.CheckConstraint("digest IS NOT NULL OR verified_at IS NULL", name="codes_verified_is_not_void"),
        sa.CheckConstraint("verified_at <= expires_at", name="codes_verified_in_time"),
        sa.PrimaryKeyConstraint("user_id", "purpose", "object_id"),
    )
    op.create_index("codes_expiring", "codes", ["expires_at"])
    op.create_table(
        "deliveries",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), server_default="PENDING", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        _born("next_attempt_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        _born("created_at"),
        sa.CheckConstraint("kind IN ('EMAIL', 'SMS')", name="deliveries_kind_known"),
        sa.CheckConstraint("state IN ('PENDING', 'SENT', 'DEAD')", name="deliveries_state_known"),
        sa.CheckConstraint(
            "(state = 'PENDING') = (sealed IS NOT NULL)", name="deliveries_sealed_while_pending"
        ),
        sa.CheckConstraint("attempts >= 0", name="deliveries_attempts_not_negative"),
        sa.PrimaryKeyConstraint("user_id", "id"),
    )
    for name, column, where in (
        ("deliveries_due", "next_attempt_at", "state = 'PENDING'"),
        ("deliveries_expiring", "expires_at", "state = 'PENDING'"),
        ("deliveries_settled", "next_attempt_at", "state <> 'PENDING'"),
    ):
        op.create_index(name, "deliveries", [column], postgresql_where=sa.text(where))
    op.create_table(
        "mailbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _born("sent_at"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("mailbox")
    op.drop_table("deliveries")
    op.drop_table("codes")
