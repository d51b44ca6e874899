"""No index that a planner takes in error for an order's key, while it knows nothing of a table yet.

Nothing reads items by their seat; a buyer's orders at an event are found with the buyer first.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("order_items_by_seat", table_name="order_items")
    op.drop_index("orders_by_buyer_and_event", table_name="orders")
    op.create_index("orders_by_buyer_and_event", "orders", ["buyer_id", "event_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("orders_by_buyer_and_event", table_name="orders")
    op.create_index("orders_by_buyer_and_event", "orders", ["event_id", "buyer_id", "id"], unique=False)
    op.create_index("order_items_by_seat", "order_items", ["event_id", "index"], unique=False)
