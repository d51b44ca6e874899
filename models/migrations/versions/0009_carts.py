"""carts: what people have put aside to buy."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "carts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_index("carts_by_age", "carts", ["changed_at"])
    op.create_table(
        "cart_items",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(index IS NULL) <> (tier IS NULL)", name="cart_items_seat_or_places"),
        sa.CheckConstraint("quantity >= 1", name="cart_items_quantity_positive"),
        sa.CheckConstraint("index IS NULL OR quantity = 1", name="cart_items_seat_once"),
        sa.CheckConstraint("price_minor >= 0", name="cart_items_price_not_negative"),
        sa.ForeignKeyConstraint(["user_id"], ["carts.user_id"]),
        sa.PrimaryKeyConstraint("user_id", "id"),
    )
    op.create_index("cart_items_seat_key", "cart_items", ["user_id", "event_id", "index"], unique=True)
    op.create_index("cart_items_tier_key", "cart_items", ["user_id", "event_id", "tier"], unique=True)


def downgrade() -> None:
    op.drop_table("cart_items")
    op.drop_table("carts")
