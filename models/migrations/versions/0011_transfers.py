"""Tickets that change hands, and when a ticket's life ended."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OF_REVENUE = "(debit = 'REVENUE' OR credit = 'REVENUE') = (event_id IS NOT NULL)"
OF_REVENUE_OR_TRANSFER = (
    "(debit = 'REVENUE' OR credit = 'REVENUE' OR kind IN ('TRANSFER', 'DISPUTE', 'REVERSAL')) "
    "= (event_id IS NOT NULL)"
)


def upgrade() -> None:
    op.drop_constraint("movements_event_of_revenue", "movements")
    op.create_check_constraint("movements_event_of_what_it_is_for", "movements", OF_REVENUE_OR_TRANSFER)
    op.add_column("tickets", moment("ended_at"))
    op.create_table(
        "transfers",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("ticket_version", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="PENDING_OTP", nullable=False),
        sa.Column("seller_confirmed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("buyer_confirmed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        moment("completed_at"),
        moment("disputed_at"),
        sa.Column("dispute_reason", sa.Text(), nullable=True),
        sa.Column("receivable_minor", sa.BigInteger(), server_default="0", nullable=False),
        moment("reversed_at"),
        *checks(),
        sa.ForeignKeyConstraint(["event_id", "ticket_id"], ["tickets.event_id", "tickets.id"]),
        sa.ForeignKeyConstraint(["event_id", "index"], ["seats.event_id", "seats.index"]),
        sa.PrimaryKeyConstraint("event_id", "id"),
    )
    pending = sa.text("status = 'PENDING_OTP'")
    op.create_index(
        "transfers_one_pending_a_ticket",
        "transfers",
        ["event_id", "ticket_id"],
        unique=True,
        postgresql_where=pending,
    )
    op.create_index("transfers_by_ticket", "transfers", ["event_id", "ticket_id"])
    op.create_index("transfers_by_seller", "transfers", ["seller_id", "id"])
    op.create_index("transfers_by_buyer", "transfers", ["buyer_id", "id"])
    op.create_index("transfers_by_buyer_and_event", "transfers", ["event_id", "buyer_id"])
    op.create_index("transfers_lapsing", "transfers", ["expires_at"], postgresql_where=pending)


def checks() -> list["sa.CheckConstraint"]:
    told = {
        "transfers_status_known": "status IN ('PENDING_OTP', 'COMPLETED', 'FAILED', 'CANCELLED', 'DISPUTED', 'REVERSED')",
        "transfers_between_two": "seller_id <> buyer_id",
        "transfers_price_not_negative": "price_minor >= 0",
        "transfers_completed_once_done": (
            "(status IN ('COMPLETED', 'DISPUTED', 'REVERSED')) = (completed_at IS NOT NULL)"
        ),
        "transfers_done_by_both": "completed_at IS NULL OR (seller_confirmed AND buyer_confirmed)",
        "transfers_disputed_at": "status <> 'DISPUTED' OR disputed_at IS NOT NULL",
        "transfers_reversed_at": "(status = 'REVERSED') = (reversed_at IS NOT NULL)",
        "transfers_receivable_at_most_price": "receivable_minor BETWEEN 0 AND price_minor",
    }
    return [sa.CheckConstraint(condition, name=name) for name, condition in told.items()]


def moment(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def downgrade() -> None:
    op.drop_table("transfers")
    op.drop_column("tickets", "ended_at")
    op.drop_constraint("movements_event_of_what_it_is_for", "movements")
    op.create_check_constraint("movements_event_of_revenue", "movements", OF_REVENUE)
