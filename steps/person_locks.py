"""The locks on a person's own rows, in one order: cart, person, session, code, delivery, payment, refund."""

from collections.abc import Collection, Sequence
from uuid import UUID

from asyncpg import Record

from auth.codes import CodeObject
from database import Transaction
from models.carts import IS_LAPSED
from models.topics import order_topic

LANES = """
    WITH RECURSIVE found AS (
        (SELECT lane FROM deliveries WHERE state = 'PENDING' ORDER BY lane LIMIT 1)
        UNION ALL
        SELECT (SELECT lane FROM deliveries WHERE state = 'PENDING' AND lane > f.lane ORDER BY lane LIMIT 1)
        FROM found f WHERE f.lane IS NOT NULL
    ) SELECT lane FROM found WHERE lane IS NOT NULL ORDER BY random()"""
"""What deliveries wait for, each once, with a look into the index for each; nobody is always the first."""

IS_FIRST_IN_QUEUE = """NOT EXISTS (SELECT FROM deliveries b
                WHERE b.owner_id = d.owner_id AND b.queue_id = d.queue_id AND b.state = 'PENDING'
                    AND (b.created_at, b.id) < (d.created_at, d.id))"""
"""Whether nothing has to be sent before a delivery `d`."""

DUE_DELIVERIES = f"""
    SELECT due.* FROM ({LANES}) l LEFT JOIN unnest($3::text[], $4::int[]) AS r (lane, room) USING (lane)
    CROSS JOIN LATERAL (
        SELECT owner_id, id FROM deliveries d
        WHERE lane = l.lane AND state = 'PENDING' AND next_attempt_at <= statement_timestamp()
            AND (expires_at IS NULL OR expires_at > statement_timestamp())
            AND {IS_FIRST_IN_QUEUE}
        ORDER BY next_attempt_at LIMIT coalesce(r.room, $2) FOR NO KEY UPDATE SKIP LOCKED
    ) due LIMIT $1"""
"""Deliveries to be tried now that nobody else has in hand, and before which none waits in their queue: at
most $1 of them, and at most $2 of a lane, but for the lanes $3, where there is room for $4 more."""

OVERDUE_DELIVERIES = """
    SELECT owner_id, id FROM deliveries WHERE state = 'PENDING' AND expires_at <= statement_timestamp()
    ORDER BY expires_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED"""
"""Deliveries that are not worth sending any more, likewise."""

UNTOLD = """
    SELECT event_id, id FROM announcements WHERE told_at IS NULL
    ORDER BY created_at, id LIMIT $1 FOR NO KEY UPDATE"""
"""The oldest announcements that no delivery was written for, at most $1 of them.

Whoever comes second waits, so that what happened to an order later is never told first.
"""

UNTOLD_NOTIFICATIONS = """
    SELECT * FROM notifications WHERE told_at IS NULL
    ORDER BY created_at, id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED"""
"""The oldest notifications that nobody has looked whether to send, at most $1 of them, likewise."""

WHO_CAN_BE_TOLD = """
    SELECT id, email, phone, username, full_name, language, active FROM users WHERE id = ANY($1::uuid[])
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"""
"""Of these people those whom nobody else has locked. Whoever deletes one of them waits for what is written
to them now, and deletes it too."""

PAYMENTS_TO_ASK = """
    SELECT user_id, id FROM payments WHERE ask_at <= statement_timestamp() AND provider = $1
    ORDER BY ask_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"""
"""Payments that the provider $1 should be asked about, at most $2 of them, likewise."""

REFUNDS_TO_SEND = """
    SELECT r.user_id, r.id, p.provider_reference AS paid_by FROM refunds r
    JOIN payments p ON p.user_id = r.user_id AND p.id = r.payment_id
    WHERE r.ask_at <= statement_timestamp() AND p.provider = $1
    ORDER BY r.ask_at LIMIT $2 FOR NO KEY UPDATE OF r SKIP LOCKED"""
"""Refunds that the provider $1 should be told of, at most $2 of them, likewise."""


STAYS = "SELECT id FROM users WHERE id = ANY({}) ORDER BY id FOR KEY SHARE"
"""Those of these people who have an account, which nobody deletes meanwhile; others may change it."""

LAPSED_CARTS = f"""
    SELECT user_id FROM carts WHERE {IS_LAPSED} ORDER BY changed_at LIMIT $1
    FOR UPDATE SKIP LOCKED"""
"""Carts that nobody has changed for so long that they are forgotten, at most $1 of them, likewise."""


async def lock_cart(tx: Transaction, user_id: UUID) -> None:
    """Lock a person's cart, made if need be, against everybody else who would change it or check it out.

    It comes before the locks on what is of an event, since it says which events those are.
    """
    await tx.rows(
        """INSERT INTO carts AS c (user_id) VALUES ($1)
           ON CONFLICT (user_id) DO UPDATE SET changed_at = c.changed_at""",
        user_id,
    )


async def lock_payment(tx: Transaction, user_id: UUID, payment_id: UUID) -> Record | None:
    """Lock a payment against everybody else who would settle it; None when there is none."""
    payment = await tx.row(
        "SELECT * FROM payments WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE", user_id, payment_id
    )
    return _touched(tx, payment)


async def lock_refund(tx: Transaction, user_id: UUID, refund_id: UUID) -> Record | None:
    """Lock a refund against everybody else who would settle it; None when there is none.

    The order comes with it, if its payment was for one.
    """
    refund = await tx.row(
        """SELECT r.*, p.event_id, p.order_id FROM refunds r
           JOIN payments p ON p.user_id = r.user_id AND p.id = r.payment_id
           WHERE r.user_id = $1 AND r.id = $2 FOR NO KEY UPDATE OF r""",
        user_id,
        refund_id,
    )
    return _touched(tx, refund)


def _touched(tx: Transaction, money: Record | None) -> Record | None:
    """Tell who watches the order that this money is for, once it is committed."""
    if money is not None and money["order_id"] is not None:
        tx.touched.add(order_topic(money["event_id"], money["order_id"]))
    return money


async def lock_user(tx: Transaction, user_id: UUID) -> Record | None:
    """Lock a person against everybody else who changes them or opens a session; None if there is none."""
    return await tx.row("SELECT * FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)


async def lock_users(tx: Transaction, user_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Lock those of these people that there are, in the order of their ids."""
    found = await tx.rows(
        "SELECT * FROM users WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE", user_ids
    )
    return {row["id"]: row for row in found}


async def lock_session(tx: Transaction, user_id: UUID, session_id: UUID) -> Record | None:
    """Lock a session against everybody else who would use or end it; None when there is none."""
    return await tx.row(
        "SELECT * FROM sessions WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE", user_id, session_id
    )


async def lock_code(tx: Transaction, about: CodeObject) -> Record | None:
    """Lock the last code of a person for an object against everybody else who would try or replace it."""
    return await tx.row(
        """SELECT * FROM codes WHERE user_id = $1 AND purpose = $2 AND object_id = $3
           FOR NO KEY UPDATE""",
        *about,
    )


async def lock_notifications(tx: Transaction, user_id: UUID, ids: Collection[UUID]) -> list[UUID]:
    """Lock those of these notifications that a person has."""
    found = await tx.rows(
        """SELECT id FROM notifications WHERE user_id = $1 AND id = ANY($2::uuid[])
           ORDER BY id FOR NO KEY UPDATE""",
        user_id,
        ids,
    )
    return [row["id"] for row in found]


async def lock_unread_notifications(tx: Transaction, user_id: UUID, most: int) -> list[UUID]:
    """Lock the oldest notifications that a person has not read, at most so many."""
    found = await tx.rows(
        """SELECT id FROM notifications WHERE user_id = $1 AND read_at IS NULL
           ORDER BY id LIMIT $2 FOR NO KEY UPDATE""",
        user_id,
        most,
    )
    return [row["id"] for row in found]


async def lock_held_orders(tx: Transaction, user_id: UUID) -> None:
    """Lock the orders that a person has still to pay for; as orders of an event, before the person."""
    await tx.rows(
        """SELECT 1 FROM orders WHERE buyer_id = $1 AND status = 'PENDING'
           ORDER BY event_id, id FOR NO KEY UPDATE""",
        user_id,
    )
