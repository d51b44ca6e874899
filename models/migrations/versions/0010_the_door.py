"""scans at the doors, and events by their hall.

And no index of tickets that a planner takes in error for their key, as before of orders and seats.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

RESULTS = "'SUCCESS', 'DUPLICATE', 'UNPAID', 'NOT_FOUND', 'WRONG_HALL', 'EXPIRED', 'CANCELLED', 'WRONG_EVENT'"


def upgrade() -> None:
    op.create_table(
        "scans",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scanned_by", sa.Uuid(), nullable=False),
        sa.Column("hall_id", sa.Uuid(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("ticket_event_id", sa.Uuid(), nullable=True),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column(
            "scanned_at", sa.DateTime(timezone=True), server_default=sa.text("statement_timestamp()"), nullable=False
        ),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(f"result IN ({RESULTS})", name="scans_result_known"),
        sa.CheckConstraint("(ticket_id IS NULL) = (ticket_event_id IS NULL)", name="scans_ticket_has_event"),
        sa.CheckConstraint("ticket_id IS NOT NULL OR result = 'NOT_FOUND'", name="scans_found_a_ticket"),
        sa.CheckConstraint("result <> 'SUCCESS' OR ticket_event_id = event_id", name="scans_admit_to_own_event"),
        sa.CheckConstraint("undone_at IS NULL OR result = 'SUCCESS'", name="scans_undone_admissions_only"),
        sa.CheckConstraint(
            "(undone_at IS NULL) = (undone_by IS NULL) AND (undone_at IS NULL) = (undone_reason IS NULL)",
            name="scans_undone_by_somebody",
        ),
        sa.PrimaryKeyConstraint("event_id", "id"),
    )
    op.create_index(
        "scans_one_admission_a_ticket",
        "scans",
        ["event_id", "ticket_id"],
        unique=True,
        postgresql_where=sa.text("result = 'SUCCESS' AND undone_at IS NULL"),
    )
    op.create_index("scans_by_id", "scans", ["id"])
    op.create_index("scans_by_hall", "scans", ["hall_id", "id"])
    op.create_index("events_by_hall", "events", ["hall_id", "ends_at"])
    op.drop_index("tickets_by_order", table_name="tickets")
    op.create_index("tickets_by_order", "tickets", ["order_id", "event_id"])


def downgrade() -> None:
    op.drop_index("tickets_by_order", table_name="tickets")
    op.create_index("tickets_by_order", "tickets", ["event_id", "order_id"])
    op.drop_index("events_by_hall", table_name="events")
    op.drop_table("scans")
