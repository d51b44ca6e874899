"""Who people are to OpenID Connect providers, and the roles that one gave a session."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identities",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("void_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("user_id", "issuer", "subject"),
    )
    op.create_index("identities_subject_key", "identities", ["issuer", "subject"], unique=True)
    op.add_column("sessions", sa.Column("roles", sa.ARRAY(sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "roles")
    op.drop_table("identities")
