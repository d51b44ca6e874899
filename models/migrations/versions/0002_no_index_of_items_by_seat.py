"""No index of order items by seat: nothing reads it, every hold paid for it, and planners took it in error."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("order_items_by_seat", table_name="order_items")


def downgrade() -> None:
    op.create_index("order_items_by_seat", "order_items", ["event_id", "index"], unique=False)
