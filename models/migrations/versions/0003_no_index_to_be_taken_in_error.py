"""No index that a planner takes in error for a key, while it knows nothing of a table yet.

Only the keys of orders, items and seats begin with the event. Nothing reads items by their seat.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("order_items_by_seat", table_name="order_items")
    op.drop_index("orders_by_buyer_and_event", table_name="orders")
    op.create_index("orders_by_buyer_and_event", "orders", ["buyer_id", "event_id", "id"], unique=False)
    op.drop_index("seats_by_section", table_name="seats")
    op.create_index("seats_by_section", "seats", ["section", "event_id", "index"], unique=False)


def downgrade() -> None:
    op.drop_index("seats_by_section", table_name="seats")
    op.create_index("seats_by_section", "seats", ["event_id", "section", "index"], unique=False)
    op.drop_index("orders_by_buyer_and_event", table_name="orders")
    op.create_index("orders_by_buyer_and_event", "orders", ["event_id", "buyer_id", "id"], unique=False)
    op.create_index("order_items_by_seat", "order_items", ["event_id", "index"], unique=False)
