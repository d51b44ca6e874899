"""Orders that are paid by card, and money that goes back to one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("payment_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(
        "orders_payment_while_it_counts",
        "orders",
        "payment_id IS NULL OR "
        "(cashier_id IS NULL AND status IN ('PENDING', 'CONFIRMED', 'COMPLETED', 'REFUNDED'))",
    )
    op.drop_constraint("movements_touch_one_person", "movements")
    op.create_check_constraint("movements_two_accounts", "movements", "debit <> credit")
    for name, kind in (("event_id", sa.Uuid()), ("order_id", sa.Uuid()), ("held_until", moment())):
        op.add_column("payments", sa.Column(name, kind, nullable=True))
    op.add_column("payments", sa.Column("refunded_minor", sa.BigInteger(), server_default="0", nullable=False))
    op.create_check_constraint(
        "payments_order_whole", "payments", "num_nulls(event_id, order_id, held_until) IN (0, 3)"
    )
    op.create_check_constraint(
        "payments_refunded_at_most_paid",
        "payments",
        "refunded_minor BETWEEN 0 AND CASE status WHEN 'SUCCESS' THEN amount_minor ELSE 0 END",
    )
    op.create_index(
        "payments_one_open_an_order",
        "payments",
        ["user_id", "order_id"],
        unique=True,
        postgresql_where=sa.text("status = 'PENDING' AND order_id IS NOT NULL"),
    )
    create_refunds()


def create_refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="PENDING", nullable=False),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        born("created_at"),
        born("updated_at"),
        sa.Column("settled_at", moment(), nullable=True),
        sa.Column("ask_at", moment(), nullable=True),
        sa.CheckConstraint("status IN ('PENDING', 'SUCCESS')", name="refunds_status_known"),
        sa.CheckConstraint("amount_minor > 0", name="refunds_amount_positive"),
        sa.CheckConstraint("(status = 'SUCCESS') = (settled_at IS NOT NULL)", name="refunds_settled_once_paid"),
        sa.ForeignKeyConstraint(["user_id", "payment_id"], ["payments.user_id", "payments.id"]),
        sa.PrimaryKeyConstraint("user_id", "id"),
    )
    op.create_index("refunds_by_id", "refunds", ["id"])
    op.create_index("refunds_to_send", "refunds", ["ask_at"], postgresql_where=sa.text("ask_at IS NOT NULL"))
    op.create_table(
        "simulated_refunds",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("payment_reference", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        born("created_at"),
        sa.PrimaryKeyConstraint("reference"),
    )


def moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def born(name: str) -> "sa.Column[object]":
    return sa.Column(name, moment(), server_default=sa.text("statement_timestamp()"), nullable=False)


def downgrade() -> None:
    op.drop_table("simulated_refunds")
    op.drop_table("refunds")
    op.drop_index("payments_one_open_an_order", table_name="payments")
    for constraint in ("payments_refunded_at_most_paid", "payments_order_whole"):
        op.drop_constraint(constraint, "payments")
    for column in ("refunded_minor", "held_until", "order_id", "event_id"):
        op.drop_column("payments", column)
    op.drop_constraint("movements_two_accounts", "movements")
    op.create_check_constraint(
        "movements_touch_one_person", "movements", "(debit = 'CREDITS') <> (credit = 'CREDITS')"
    )
    op.drop_constraint("orders_payment_while_it_counts", "orders")
    op.drop_column("orders", "payment_id")
