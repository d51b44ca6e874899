"""announcements and webhook endpoints; deliveries to both persons and endpoints, in lanes and queues."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KINDS = (
    "'ticket.purchased', 'ticket.cancelled', 'ticket.refunded', 'ticket.checked_in', 'transfer.completed', "
    "'transfer.disputed', 'transfer.reversed', 'order.expired', 'event.published', 'event.cancelled'"
)
SEALED = (
    "CASE state WHEN 'PENDING' THEN sealed IS NOT NULL WHEN 'SENT' THEN sealed IS NULL "
    "ELSE sealed IS NULL OR expires_at IS NULL END"
)
INDEXES = ("deliveries_due", "deliveries_settled")


def moment(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def born(name: str) -> "sa.Column[object]":
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("statement_timestamp()"), nullable=False
    )


def constrain(kinds: str, sealed: str) -> None:
    for name, rule in (("kind_known", f"kind IN ({kinds})"), ("sealed_while_pending", sealed)):
        op.drop_constraint(f"deliveries_{name}", "deliveries")
        op.create_check_constraint(f"deliveries_{name}", "deliveries", rule)


def index(due: list[str], settled: list[str]) -> None:
    for name, columns, where in zip(INDEXES, (due, settled), ("=", "<>"), strict=True):
        op.drop_index(name, table_name="deliveries")
        op.create_index(name, "deliveries", columns, postgresql_where=sa.text(f"state {where} 'PENDING'"))


def rename(old: str, new: str) -> None:
    """From PostgreSQL 18 on the column's NOT NULL has a name of its own, made of the column's."""
    op.alter_column("deliveries", old, new_column_name=new)
    op.execute(f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_constraint WHERE conname = 'deliveries_{old}_not_null'
                       AND conrelid = 'deliveries'::regclass) THEN
                ALTER TABLE deliveries RENAME CONSTRAINT deliveries_{old}_not_null TO deliveries_{new}_not_null;
            END IF;
        END $$""")


def upgrade() -> None:
    op.create_table(
        "announcements",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("tickets", postgresql.JSONB(), nullable=True),
        born("created_at"),
        moment("told_at"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="announcements_kind_known"),
        sa.PrimaryKeyConstraint("event_id", "id"),
    )
    op.create_index(
        "announcements_untold", "announcements", ["created_at", "id"], postgresql_where=sa.text("told_at IS NULL")
    )
    op.create_index("announcements_by_age", "announcements", ["created_at", "id"])
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret", sa.LargeBinary(), nullable=True),
        moment("old_secret_until"),
        born("created_at"),
        moment("failing_since"),
        moment("disabled_at"),
        sa.CheckConstraint("cardinality(kinds) > 0", name="webhook_endpoints_some_kinds"),
        sa.CheckConstraint(
            "(old_secret IS NULL) = (old_secret_until IS NULL)", name="webhook_endpoints_old_secret_ends"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    rename("user_id", "owner_id")
    op.add_column("deliveries", sa.Column("queue_id", sa.Uuid(), nullable=True))
    op.add_column("deliveries", sa.Column("answer_status", sa.Integer(), nullable=True))
    op.add_column("deliveries", sa.Column("answer", sa.Text(), nullable=True))
    lane = sa.Computed("CASE kind WHEN 'WEBHOOK' THEN recipient ELSE kind END", persisted=True)
    op.add_column("deliveries", sa.Column("lane", sa.Text(), lane, nullable=False))
    constrain("'EMAIL', 'SMS', 'WEBHOOK'", SEALED)
    index(["lane", "next_attempt_at"], ["state", "next_attempt_at"])
    op.create_index(
        "deliveries_in_order",
        "deliveries",
        ["owner_id", "queue_id", "created_at", "id"],
        postgresql_where=sa.text("state = 'PENDING' AND queue_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute("DELETE FROM deliveries WHERE kind = 'WEBHOOK'")
    op.execute("UPDATE deliveries SET sealed = NULL WHERE state = 'DEAD'")
    op.drop_index("deliveries_in_order", table_name="deliveries")
    index(["next_attempt_at"], ["next_attempt_at"])
    constrain("'EMAIL', 'SMS'", "(state = 'PENDING') = (sealed IS NOT NULL)")
    for name in ("lane", "answer", "answer_status", "queue_id"):
        op.drop_column("deliveries", name)
    rename("owner_id", "user_id")
    op.drop_table("webhook_endpoints")
    op.drop_table("announcements")
