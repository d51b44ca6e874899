"""Orders that are paid at a counter, and money that goes back."""

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
    _kinds("PURCHASE", "REFUND", "ADJUSTMENT")


def downgrade() -> None:
    _kinds("PURCHASE", "ADJUSTMENT")
    op.drop_constraint("orders_cashier_once_paid", "orders")
    op.drop_column("orders", "cashier_id")


def _kinds(*kinds: str) -> None:
    allowed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint("movements_kind_known", "movements")
    op.create_check_constraint("movements_kind_known", "movements", f"kind IN ({allowed})")
