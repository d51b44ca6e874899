"""sessions, service clients, and finding people by their words."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=True),
        sa.Column("was_repeated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "last_used_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "ended_by IN ('LOGOUT', 'ENDED', 'REUSE', 'PASSWORD', 'CROWD', 'ROLES', 'DEACTIVATED', 'DELETED')",
            name="sessions_ended_by_known",
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="sessions_ended_by_something"),
        sa.CheckConstraint("last_used_at <= ended_at", name="sessions_not_used_after_the_end"),
        sa.CheckConstraint("refresh_hash <> previous_hash", name="sessions_refresh_token_is_new"),
        sa.PrimaryKeyConstraint("user_id", "id"),
    )
    op.create_index(
        "sessions_ended", "sessions", ["ended_at"], postgresql_where=sa.text("ended_at IS NOT NULL")
    )
    op.create_index("sessions_expiring", "sessions", ["expires_at"])
    op.create_table(
        "service_clients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "service_clients_revoked",
        "service_clients",
        ["revoked_at"],
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
    )
    op.create_index(
        "users_search",
        "users",
        [
            sa.literal_column(
                "to_tsvector('simple', translate(email, '@.', '  ') || ' ' || coalesce(username, '')"
                " || ' ' || coalesce(full_name, ''))"
            )
        ],
        postgresql_using="gin",
    )


def downgrade() -> None:
    op.drop_index("users_search", table_name="users", postgresql_using="gin")
    op.drop_table("service_clients")
    op.drop_table("sessions")
