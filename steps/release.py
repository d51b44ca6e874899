"""End the holds whose time is over, as a courtesy to those who watch: the seats count as free already."""

from database import Transaction
from models.announcements import AnnouncementKind
from models.notifications import NotificationKind
from models.topics import order_topic
from steps.announce import announce_orders
from steps.locks import LAPSED_ORDERS
from steps.notify import Notice, notify
from steps.outbox import log_of
from steps.take_back_tickets import take_back_of_orders

FREE_LAPSED = f"""
    WITH lapsed AS MATERIALIZED ({LAPSED_ORDERS}
    ), theirs AS MATERIALIZED (
        SELECT s.event_id, s.index FROM lapsed o
        JOIN order_items i ON i.event_id = o.event_id AND i.order_id = o.id
        JOIN seats s ON s.event_id = i.event_id AND s.index = i.index
        WHERE s.order_id = o.id AND s.status = 'H'
        ORDER BY s.event_id, s.index FOR NO KEY UPDATE OF s SKIP LOCKED
    ), freed AS (
        UPDATE seats s SET status = 'A', version = s.version + 1, held_until = NULL, order_id = NULL
        FROM theirs t WHERE s.event_id = t.event_id AND s.index = t.index
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("freed")})
    SELECT event_id, array_agg(id) AS orders,
        array_agg(id) FILTER (WHERE payment_id IS NOT NULL) AS being_paid
    FROM lapsed GROUP BY event_id"""

EXPIRE = """
    UPDATE orders o SET status = 'EXPIRED', held_until = NULL, payment_id = NULL,
        updated_at = statement_timestamp()
    WHERE o.event_id = $1 AND o.id = ANY($2::uuid[]) AND NOT EXISTS (
        SELECT FROM order_items i JOIN seats s ON s.event_id = i.event_id AND s.index = i.index
        WHERE i.event_id = o.event_id AND i.order_id = o.id AND s.order_id = o.id)
    RETURNING o.id, o.buyer_id"""
"""An order of which a seat is in somebody's hands right now stays for the next time."""


async def release_lapsed(tx: Transaction, *, orders_max: int) -> int:
    """Free the seats of orders whose time is over, at most so many orders; return how many orders ended.

    The tickets of those that were being paid by card are taken back.
    """
    ended = 0
    for row in await tx.rows(FREE_LAPSED, orders_max):
        if row["being_paid"]:
            await take_back_of_orders(tx, row["event_id"], row["being_paid"])
        expired = await tx.rows(EXPIRE, row["event_id"], row["orders"])
        ended += len(expired)
        order_ids = [order["id"] for order in expired]
        await announce_orders(tx, AnnouncementKind.ORDER_EXPIRED, row["event_id"], order_ids)
        about = (NotificationKind.HOLD_EXPIRED, row["event_id"])
        await notify(tx, *(Notice(order["buyer_id"], *about, order["id"]) for order in expired))
        tx.changed_events.add(row["event_id"])
        tx.touched.update(order_topic(row["event_id"], order_id) for order_id in row["orders"])
    return ended
