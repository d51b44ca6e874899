"""every kind of account and movement, a reason for each correction, and what finds a transaction."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
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


def downgrade() -> None:
    op.drop_index("movements_refunds", table_name="movements")
    op.drop_index("movements_by_id", table_name="movements")
    op.drop_constraint("movements_why_adjusted", "movements")
    allow(ACCOUNTS, KINDS)
