"""Orders that are paid at a counter."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("cashier_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(
        "orders_cashier_once_paid",
        "orders",
        "cashier_id IS NULL OR status IN ('CONFIRMED', 'COMPLETED', 'REFUNDED')",
    )


def downgrade() -> None:
    op.drop_constraint("orders_cashier_once_paid", "orders")
    op.drop_column("orders", "cashier_id")
