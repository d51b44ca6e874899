"""Tickets that were deleted, events that were cancelled, and admissions by their ticket.

A transfer is no longer tied to its ticket's row, since it outlives it, as a scan does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deleted_tickets",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        moment("purchased_at"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        moment("deleted_at"),
        sa.Column("deleted_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("status IN ('CANCELLED', 'REFUNDED')", name="deleted_tickets_were_over"),
        sa.PrimaryKeyConstraint("event_id", "id"),
    )
    op.create_index("deleted_tickets_by_owner", "deleted_tickets", ["owner_id", "id"])
    op.drop_constraint("transfers_event_id_ticket_id_fkey", "transfers", type_="foreignkey")
    op.create_index(
        "scans_admissions_by_ticket",
        "scans",
        ["event_id", "ticket_id"],
        postgresql_where=sa.text("result = 'SUCCESS'"),
    )
    op.create_table(
        "cancellations",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        moment("cancelled_at"),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"]),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index(
        "cancellations_to_look_at",
        "cancellations",
        ["look_at"],
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )


def moment(name: str) -> "sa.Column[object]":
    now = sa.text("statement_timestamp()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=False)


def downgrade() -> None:
    op.drop_table("cancellations")
    op.drop_index("scans_admissions_by_ticket", table_name="scans")
    op.execute(
        """DELETE FROM transfers t WHERE NOT EXISTS (
               SELECT FROM tickets k WHERE k.event_id = t.event_id AND k.id = t.ticket_id)"""
    )
    op.create_foreign_key(
        "transfers_event_id_ticket_id_fkey",
        "transfers",
        "tickets",
        ["event_id", "ticket_id"],
        ["event_id", "id"],
    )
    op.drop_table("deleted_tickets")
