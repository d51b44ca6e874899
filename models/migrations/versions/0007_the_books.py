"""every kind of account and movement, a reason for each correction, and payments through a provider."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ACCOUNTS = "'CREDITS', 'REVENUE', 'CORRECTIONS'"
ALL_ACCOUNTS = "'CREDITS', 'REVENUE', 'PROVIDER', 'ESCROW', 'RECEIVABLES', 'CORRECTIONS'"
KINDS = "'PURCHASE', 'ADJUSTMENT'"
ALL_KINDS = "'PURCHASE', 'REFUND', 'TOP_UP', 'TRANSFER', 'ADJUSTMENT', 'DISPUTE', 'REVERSAL'"


def allow(accounts: str, kinds: str) -> None:
    for column, allowed in (("debit", accounts), ("credit", accounts), ("kind", kinds)):
        op.drop_constraint(f"movements_{column}_known", "movements")
        op.create_check_constraint(f"movements_{column}_known", "movements", f"{column} IN ({allowed})")


def upgrade() -> None:
    allow(ALL_ACCOUNTS, ALL_KINDS)
    op.create_check_constraint(
        "movements_why_adjusted", "movements", "kind <> 'ADJUSTMENT' OR reason IS NOT NULL"
    )
    op.create_index("movements_by_id", "movements", ["id"])
    op.create_index(
        "movements_refunds", "movements", ["user_id", "reference"], postgresql_where=sa.text("kind = 'REFUND'")
    )
    op.create_table(
        "payments",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="PENDING", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        born("created_at"),
        born("updated_at"),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("provider IN ('STRIPE', 'SIMULATED')", name="payments_provider_known"),
        sa.CheckConstraint("status IN ('PENDING', 'SUCCESS', 'FAILED')", name="payments_status_known"),
        sa.CheckConstraint("amount_minor > 0", name="payments_amount_positive"),
        sa.CheckConstraint("(status = 'SUCCESS') = (settled_at IS NOT NULL)", name="payments_settled_once_paid"),
        sa.PrimaryKeyConstraint("user_id", "id"),
    )
    op.create_index("payments_by_id", "payments", ["id"])
    op.create_index("payments_to_ask", "payments", ["ask_at"], postgresql_where=sa.text("ask_at IS NOT NULL"))
    op.create_table(
        "simulated_payments",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        born("created_at"),
        sa.PrimaryKeyConstraint("reference"),
    )


def born(name: str) -> "sa.Column[object]":
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("statement_timestamp()"), nullable=False
    )


def downgrade() -> None:
    op.drop_table("simulated_payments")
    op.drop_table("payments")
    op.drop_index("movements_refunds", table_name="movements")
    op.drop_index("movements_by_id", table_name="movements")
    op.drop_constraint("movements_why_adjusted", "movements")
    allow(ACCOUNTS, KINDS)
