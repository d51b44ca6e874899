"""the first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TYPE uuidrange AS RANGE (subtype = uuid)")
    op.create_table(
        "accounts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("balance_minor >= 0", name="accounts_balance_not_negative"),
        sa.PrimaryKeyConstraint("user_id", "currency"),
    )
    op.create_table(
        "buyers",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "last_order_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("event_id", "user_id"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("mutation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("user_id", "mutation", "key"),
    )
    op.create_index("idempotency_keys_by_age", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "seat_changes",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("status IN ('A', 'H', 'S', 'C', 'B')", name="seat_changes_status_known"),
        sa.PrimaryKeyConstraint("event_id", "index", "version"),
    )
    op.create_index(
        "seat_changes_by_age", "seat_changes", ["changed_at"], unique=False, postgresql_using="brin"
    )
    op.create_index(
        "seat_changes_revision_key",
        "seat_changes",
        ["event_id", "revision"],
        unique=True,
        postgresql_where=sa.text("revision IS NOT NULL"),
    )
    op.create_index(
        "seat_changes_unnumbered",
        "seat_changes",
        ["event_id", "version", "index"],
        unique=False,
        postgresql_where=sa.text("revision IS NULL"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("full_name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("roles", sa.ARRAY(sa.Text()), server_default="{USER}", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("flagged", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("roles <@ ARRAY['USER', 'STAFF', 'OPERATOR', 'ADMIN']", name="users_roles_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("users_email_key", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_index("users_username_key", "users", [sa.literal_column("lower(username)")], unique=True)
    op.create_table(
        "venues",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("venues_name", "venues", ["name", "id"], unique=False)
    op.create_index(
        "venues_search",
        "venues",
        [sa.literal_column("to_tsvector('simple', name || ' ' || address)")],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "halls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("venue_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["venue_id"],
            ["venues.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("halls_code_key", "halls", ["venue_id", "code"], unique=True)
    op.create_table(
        "movements",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("reference", sa.Uuid(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("(debit = 'CREDITS') <> (credit = 'CREDITS')", name="movements_touch_one_person"),
        sa.CheckConstraint(
            "(debit = 'REVENUE' OR credit = 'REVENUE') = (event_id IS NOT NULL)",
            name="movements_event_of_revenue",
        ),
        sa.CheckConstraint("credit IN ('CREDITS', 'REVENUE', 'CORRECTIONS')", name="movements_credit_known"),
        sa.CheckConstraint("debit IN ('CREDITS', 'REVENUE', 'CORRECTIONS')", name="movements_debit_known"),
        sa.CheckConstraint("kind IN ('PURCHASE', 'ADJUSTMENT')", name="movements_kind_known"),
        sa.CheckConstraint("amount_minor > 0", name="movements_amount_positive"),
        sa.ForeignKeyConstraint(
            ["user_id", "currency"],
            ["accounts.user_id", "accounts.currency"],
        ),
        sa.PrimaryKeyConstraint("user_id", "id"),
    )
    op.create_index(
        "movements_one_purchase_an_order",
        "movements",
        ["user_id", "reference"],
        unique=True,
        postgresql_where=sa.text("kind = 'PURCHASE'"),
    )
    op.create_table(
        "orders",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'PENDING') = (held_until IS NOT NULL)", name="orders_held_until_while_pending"
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'CONFIRMED', 'COMPLETED', 'CANCELLED', 'REFUNDED', 'EXPIRED')",
            name="orders_status_known",
        ),
        sa.CheckConstraint("refunded_minor BETWEEN 0 AND total_minor", name="orders_refunded_at_most_total"),
        sa.CheckConstraint("total_minor >= 0", name="orders_total_not_negative"),
        sa.ForeignKeyConstraint(
            ["event_id", "buyer_id"],
            ["buyers.event_id", "buyers.user_id"],
        ),
        sa.PrimaryKeyConstraint("event_id", "id"),
    )
    op.create_index("orders_by_buyer", "orders", ["buyer_id", "id"], unique=False)
    op.create_index("orders_by_buyer_and_event", "orders", ["event_id", "buyer_id", "id"], unique=False)
    op.create_index(
        "orders_lapsing",
        "orders",
        ["held_until"],
        unique=False,
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_index("orders_reference_key", "orders", ["event_id", "reference"], unique=True)
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hall_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("sales_start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sales_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("total_seats", sa.Integer(), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        postgresql.ExcludeConstraint(
            (sa.text("uuidrange(hall_id, hall_id, '[]')"), "&&"),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("status = 'PUBLISHED'"),
            using="gist",
            name="events_hall_free",
        ),
        sa.CheckConstraint(
            "status IN ('DRAFT', 'PUBLISHED', 'CANCELLED', 'ENDED')", name="events_status_known"
        ),
        sa.CheckConstraint("sales_start_at < sales_end_at", name="events_sales_end_after_start"),
        sa.CheckConstraint("starts_at < ends_at", name="events_end_after_start"),
        sa.CheckConstraint("total_seats >= 0", name="events_total_seats_not_negative"),
        sa.ForeignKeyConstraint(
            ["hall_id"],
            ["halls.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("events_by_start", "events", ["starts_at", "id"], unique=False)
    op.create_index("events_search", "events", ["search"], unique=False, postgresql_using="gin")
    op.create_table(
        "plans",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
        ),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "streams",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
        ),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "tiers",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("general_admission", sa.Boolean(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("first_index", sa.Integer(), nullable=True),
        sa.CheckConstraint("capacity > 0", name="tiers_capacity_positive"),
        sa.CheckConstraint("price_minor >= 0", name="tiers_price_not_negative"),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
        ),
        sa.PrimaryKeyConstraint("event_id", "number"),
    )
    op.create_index("tiers_name_key", "tiers", ["event_id", "name"], unique=True)
    op.create_table(
        "seats",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="A", nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.CheckConstraint("(status = 'H') = (held_until IS NOT NULL)", name="seats_held_until_while_held"),
        sa.CheckConstraint("(status IN ('A', 'B')) = (order_id IS NULL)", name="seats_order_while_taken"),
        sa.CheckConstraint("status IN ('A', 'H', 'S', 'C', 'B')", name="seats_status_known"),
        sa.CheckConstraint("index >= 0", name="seats_index_not_negative"),
        sa.CheckConstraint("version >= 0", name="seats_version_not_negative"),
        sa.ForeignKeyConstraint(
            ["event_id", "tier"],
            ["tiers.event_id", "tiers.number"],
        ),
        sa.PrimaryKeyConstraint("event_id", "index"),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index("seats_by_section", "seats", ["event_id", "section", "index"], unique=False)
    op.create_table(
        "order_items",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("price_minor >= 0", name="order_items_price_not_negative"),
        sa.ForeignKeyConstraint(
            ["event_id", "index"],
            ["seats.event_id", "seats.index"],
        ),
        sa.ForeignKeyConstraint(
            ["event_id", "order_id"],
            ["orders.event_id", "orders.id"],
        ),
        sa.PrimaryKeyConstraint("event_id", "order_id", "index"),
    )
    op.create_index("order_items_by_seat", "order_items", ["event_id", "index"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "purchased_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'ACTIVE', 'CHECKED_IN', 'CANCELLED', 'REFUNDED')",
            name="tickets_status_known",
        ),
        sa.CheckConstraint("price_minor >= 0", name="tickets_price_not_negative"),
        sa.ForeignKeyConstraint(
            ["event_id", "order_id", "index"],
            ["order_items.event_id", "order_items.order_id", "order_items.index"],
        ),
        sa.PrimaryKeyConstraint("event_id", "id"),
    )
    op.create_index("tickets_by_order", "tickets", ["event_id", "order_id"], unique=False)
    op.create_index("tickets_by_owner", "tickets", ["owner_id", "id"], unique=False)
    op.create_index(
        "tickets_one_live_a_seat",
        "tickets",
        ["event_id", "index"],
        unique=True,
        postgresql_where=sa.text("status IN ('PENDING', 'ACTIVE', 'CHECKED_IN')"),
    )
    op.create_index("tickets_reference_key", "tickets", ["event_id", "reference"], unique=True)


def downgrade() -> None:
    op.drop_index("tickets_reference_key", table_name="tickets")
    op.drop_index(
        "tickets_one_live_a_seat",
        table_name="tickets",
        postgresql_where=sa.text("status IN ('PENDING', 'ACTIVE', 'CHECKED_IN')"),
    )
    op.drop_index("tickets_by_owner", table_name="tickets")
    op.drop_index("tickets_by_order", table_name="tickets")
    op.drop_table("tickets")
    op.drop_index("order_items_by_seat", table_name="order_items")
    op.drop_table("order_items")
    op.drop_index("seats_by_section", table_name="seats")
    op.drop_table("seats")
    op.drop_index("tiers_name_key", table_name="tiers")
    op.drop_table("tiers")
    op.drop_table("streams")
    op.drop_table("plans")
    op.drop_index("events_search", table_name="events", postgresql_using="gin")
    op.drop_index("events_by_start", table_name="events")
    op.drop_table("events")
    op.drop_index("orders_reference_key", table_name="orders")
    op.drop_index("orders_lapsing", table_name="orders", postgresql_where=sa.text("status = 'PENDING'"))
    op.drop_index("orders_by_buyer_and_event", table_name="orders")
    op.drop_index("orders_by_buyer", table_name="orders")
    op.drop_table("orders")
    op.drop_index(
        "movements_one_purchase_an_order",
        table_name="movements",
        postgresql_where=sa.text("kind = 'PURCHASE'"),
    )
    op.drop_table("movements")
    op.drop_index("halls_code_key", table_name="halls")
    op.drop_table("halls")
    op.drop_index("venues_search", table_name="venues", postgresql_using="gin")
    op.drop_index("venues_name", table_name="venues")
    op.drop_table("venues")
    op.drop_index("users_username_key", table_name="users")
    op.drop_index("users_email_key", table_name="users")
    op.drop_table("users")
    op.drop_index(
        "seat_changes_unnumbered", table_name="seat_changes", postgresql_where=sa.text("revision IS NULL")
    )
    op.drop_index(
        "seat_changes_revision_key",
        table_name="seat_changes",
        postgresql_where=sa.text("revision IS NOT NULL"),
    )
    op.drop_index("seat_changes_by_age", table_name="seat_changes", postgresql_using="brin")
    op.drop_table("seat_changes")
    op.drop_index("idempotency_keys_by_age", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("buyers")
    op.drop_table("accounts")
    op.execute("DROP TYPE uuidrange")
