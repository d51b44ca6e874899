"""a broker that is told what webhooks are told: an endpoint without a secret, and a kind of delivery."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BROKER = "00000000-0000-0000-0000-000000000001"


def allow(kinds: str) -> None:
    op.drop_constraint("deliveries_kind_known", "deliveries")
    op.create_check_constraint("deliveries_kind_known", "deliveries", f"kind IN ({kinds})")


def upgrade() -> None:
    allow("'EMAIL', 'SMS', 'WEBHOOK', 'AMQP'")
    op.alter_column("webhook_endpoints", "secret", existing_type=sa.LargeBinary(), nullable=True)
    op.create_check_constraint(
        "webhook_endpoints_secret_but_the_broker",
        "webhook_endpoints",
        f"(secret IS NULL) = (id = '{BROKER}'::uuid)",
    )


def downgrade() -> None:
    op.execute("DELETE FROM deliveries WHERE kind = 'AMQP'")
    op.execute(f"DELETE FROM webhook_endpoints WHERE id = '{BROKER}'")
    allow("'EMAIL', 'SMS', 'WEBHOOK'")
    op.drop_constraint("webhook_endpoints_secret_but_the_broker", "webhook_endpoints")
    op.alter_column("webhook_endpoints", "secret", existing_type=sa.LargeBinary(), nullable=False)
