"""Notifications, and by which channels a person wants to hear of them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KINDS = (
    "'ORDER_CONFIRMED', 'ORDER_CANCELLED', 'ORDER_REFUNDED', 'HOLD_EXPIRED', 'TICKET_ACTIVATED', "
    "'TICKET_CANCELLED', 'TICKET_REFUNDED', 'TRANSFER_REQUESTED', 'TRANSFER_COMPLETED', 'TRANSFER_FAILED', "
    "'TRANSFER_DISPUTED', 'TRANSFER_REVERSED', 'TOP_UP_SUCCEEDED', 'EVENT_CANCELLED'"
)
INDEXES = (
    ("notifications_unread", ["user_id", "id"], "read_at IS NULL"),
    ("notifications_untold", ["created_at", "id"], "told_at IS NULL"),
    ("notifications_read_by_age", ["created_at"], "read_at IS NOT NULL"),
    ("notifications_unread_by_age", ["created_at"], "read_at IS NULL"),
)


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Uuid(), nullable=True)
            for name in ("event_id", "order_id", "ticket_id", "transfer_id", "transaction_id")
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="notifications_kind_known"),
        sa.PrimaryKeyConstraint("user_id", "id"),
    )
    for name, columns, which in INDEXES:
        op.create_index(name, "notifications", columns, postgresql_where=sa.text(which))
    op.create_index(
        "notifications_one_a_cancelled_event",
        "notifications",
        ["user_id", "event_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'EVENT_CANCELLED'"),
    )
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="notification_preferences_kind_known"),
        sa.CheckConstraint("channel IN ('EMAIL', 'SMS')", name="notification_preferences_channel_known"),
        sa.PrimaryKeyConstraint("user_id", "kind", "channel"),
    )


def downgrade() -> None:
    op.drop_table("notification_preferences")
    op.drop_table("notifications")
