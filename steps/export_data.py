"""Everything that the house knows of a person."""

from uuid import UUID

import orjson

from database import Transaction
from models.orders import ORDERS_NOW
from models.transfers import TRANSFERS_NOW, Transfer
from steps.refusals import RefusalCode, Refused

ROWS_OF_A_KIND_MAX = 100_000

_SELLERS = "CASE WHEN seller_id = $1 THEN receivable_minor END AS receivable_minor"
_OF_TRANSFERS = ", ".join(_SELLERS if name == "receivable_minor" else name for name in Transfer.model_fields)
"""What a seller had spent of the price is no business of the buyer's."""

EVERYTHING = {
    "account": """
        SELECT id, email, username, full_name, phone, roles, active, flagged, created_at, language
        FROM users WHERE id = $1""",
    "sessions": """
        SELECT id, device, created_at, last_used_at, expires_at, ended_at, ended_by, roles
        FROM sessions WHERE user_id = $1 ORDER BY id""",
    "identities": "SELECT issuer, subject, created_at FROM identities WHERE user_id = $1 ORDER BY 1, 2",
    "codes": """
        SELECT purpose, object_id, tries, sent_to, sent_at, expires_at, verified_at
        FROM codes WHERE user_id = $1 ORDER BY sent_at""",
    "deliveries": """
        SELECT id, kind, recipient, state, attempts, created_at
        FROM deliveries WHERE owner_id = $1 ORDER BY id""",
    "notifications": "SELECT * FROM notifications WHERE user_id = $1 ORDER BY id",
    "notification_preferences": """
        SELECT kind, channel, wanted FROM notification_preferences WHERE user_id = $1 ORDER BY 1, 2""",
    "credits": "SELECT currency, balance_minor FROM accounts WHERE user_id = $1 ORDER BY currency",
    "movements": "SELECT * FROM movements WHERE user_id = $1 ORDER BY id",
    "payments": "SELECT * FROM payments WHERE user_id = $1 ORDER BY id",
    "refunds": "SELECT * FROM refunds WHERE user_id = $1 ORDER BY id",
    "simulated_payments": "SELECT * FROM simulated_payments WHERE user_id = $1 ORDER BY reference",
    "cart": """
        SELECT i.*, c.changed_at FROM carts c JOIN cart_items i ON i.user_id = c.user_id
        WHERE c.user_id = $1 ORDER BY i.id""",
    "orders": f"SELECT * FROM {ORDERS_NOW} AS o WHERE buyer_id = $1 ORDER BY id",
    "order_items": """
        SELECT i.* FROM orders o JOIN order_items i ON i.event_id = o.event_id AND i.order_id = o.id
        WHERE o.buyer_id = $1 ORDER BY i.order_id, i.index""",
    "tickets": "SELECT * FROM tickets WHERE owner_id = $1 ORDER BY id",
    "scans": """
        SELECT s.event_id, s.id, s.ticket_id, s.hall_id, s.result, s.scanned_at, s.undone_at, s.undone_reason
        FROM tickets k JOIN scans s ON s.event_id = k.event_id AND s.ticket_id = k.id
        WHERE k.owner_id = $1 ORDER BY s.id""",
    "deleted_tickets": """
        SELECT event_id, id, reference, order_id, index, status, price_minor, currency, purchased_at,
            ended_at, deleted_at FROM deleted_tickets WHERE owner_id = $1 ORDER BY id""",
    "transfers": f"""
        SELECT {_OF_TRANSFERS} FROM {TRANSFERS_NOW} AS t WHERE seller_id = $1 OR buyer_id = $1 ORDER BY id""",
    "idempotency_keys": """
        SELECT mutation, key, created_at FROM idempotency_keys WHERE user_id = $1 ORDER BY created_at""",
}
"""What there is of the person $1, by its kind. Hashes are not told: they say nothing about anybody."""


async def export_data(tx: Transaction, *, user_id: UUID) -> str:
    """Write all that there is of a person as JSON: a list of rows for each kind."""
    found = {}
    for kind, statement in EVERYTHING.items():
        rows = await tx.rows(f"{statement} LIMIT {ROWS_OF_A_KIND_MAX}", user_id)
        found[kind] = [dict(row) for row in rows]
    if not found["account"]:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    return orjson.dumps(found, default=str, option=orjson.OPT_INDENT_2).decode()
