"""The language in which the house writes to a person."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("language", sa.Text(), server_default="en", nullable=False))
    op.create_check_constraint("users_language_known", "users", "language IN ('en', 'de')")


def downgrade() -> None:
    op.drop_column("users", "language")
