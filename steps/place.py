"""What a card payment does to its order: the seats are sold for it, or its tickets are taken back."""

from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.announcements import AnnouncementKind
from models.columns import new_id, new_reference
from models.seats import is_free
from models.tickets import LIVE_TICKET
from steps.announce import announce_tickets
from steps.hold import SEATS_OF_BUYER
from steps.locks import lock_buyer, lock_order, lock_seats_of_order
from steps.outbox import log_of
from steps.person_locks import lock_payment
from steps.sales import EVENT_FACTS
from steps.take_back_tickets import take_back_lapsed, take_back_of_orders

PLACE = f"""
    WITH event AS ({EVENT_FACTS}
    ), listed AS MATERIALIZED (
        SELECT i.index, (s.order_id = $2 AND s.status = 'H') OR {is_free("s")} AS can_be_had
        FROM order_items i JOIN seats s ON s.event_id = i.event_id AND s.index = i.index
        WHERE i.event_id = $1 AND i.order_id = $2
    ), placed AS (
        UPDATE orders o SET status = 'CONFIRMED', held_until = NULL, payment_id = $3,
            updated_at = statement_timestamp()
        FROM event e, (SELECT $6::uuid AS buyer_id) w
        WHERE o.event_id = $1 AND o.id = $2 AND o.status IN ('PENDING', 'EXPIRED')
            AND o.total_minor = $4 AND o.currency = $5
            AND e.status = 'PUBLISHED' AND NOT e.is_over
            AND (SELECT bool_and(can_be_had) FROM listed)
            AND (o.held_until > statement_timestamp()
                OR ({SEATS_OF_BUYER}) + (SELECT count(*) FROM listed) <= $7)
        RETURNING o.id
    ), sold AS (
        UPDATE seats s SET status = 'S', version = s.version + 1, held_until = NULL, order_id = p.id
        FROM placed p, listed l WHERE s.event_id = $1 AND s.index = l.index
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("sold")})
    SELECT p.id, ARRAY(SELECT index FROM listed ORDER BY index) AS indexes FROM placed p"""
"""$1 event, $2 order, all of whose seats are locked; $3 payment, $4 its amount, $5 currency, $6 buyer, $7
seats that the buyer may have, if the seats are not held any more."""

ACTIVATE = """
    UPDATE tickets SET status = 'ACTIVE', purchased_at = statement_timestamp()
    WHERE event_id = $1 AND order_id = $2 AND status = 'PENDING' RETURNING id"""

ISSUE_MISSING = f"""
    INSERT INTO tickets (event_id, id, reference, order_id, index, owner_id, status, price_minor, currency)
    SELECT $1, w.ticket_id, w.reference, o.id, w.index, o.buyer_id, 'ACTIVE', i.price_minor, o.currency
    FROM unnest($3::int[], $4::uuid[], $5::text[]) AS w (index, ticket_id, reference)
    JOIN orders o ON o.event_id = $1 AND o.id = $2
    JOIN order_items i ON i.event_id = $1 AND i.order_id = $2 AND i.index = w.index
    WHERE NOT EXISTS (
        SELECT FROM tickets t WHERE t.event_id = $1 AND t.index = w.index AND t.{LIVE_TICKET})
    RETURNING id"""
"""Tickets that were taken back before the money came."""

PAYS_NO_MORE = """
    UPDATE orders SET payment_id = NULL, updated_at = statement_timestamp()
    WHERE event_id = $1 AND id = $2 AND payment_id = $3 AND status = 'PENDING' RETURNING id"""

NOBODY_WAITS = """
    UPDATE payments SET held_until = statement_timestamp(), ask_at = statement_timestamp()
    WHERE user_id = $1 AND id = $2 AND status = 'PENDING'"""


async def lock_payment_and_order(tx: Transaction, user_id: UUID, payment_id: UUID) -> Record | None:
    """Lock a payment; before it, if it is for an order, the buyer, the order and every seat of it."""
    found = await tx.row(
        "SELECT event_id, order_id FROM payments WHERE user_id = $1 AND id = $2", user_id, payment_id
    )
    if found is not None and found["order_id"] is not None:
        name = (found["event_id"], found["order_id"])
        await lock_buyer(tx, found["event_id"], user_id)
        if await lock_order(tx, *name) is not None:
            await lock_seats_of_order(tx, *name)
    return await lock_payment(tx, user_id, payment_id) if found else None


async def place_order(tx: Transaction, payment: Record, *, seats_per_buyer_max: int) -> bool:
    """Sell all seats of an order for a payment of exactly its price, or none; say whether they are sold.

    A hold that lapsed does not matter while every seat is free, and within the buyer's limit.
    """
    event_id, order_id, buyer_id = payment["event_id"], payment["order_id"], payment["user_id"]
    if not await tx.value("SELECT EXISTS (SELECT FROM users WHERE id = $1)", buyer_id):
        return False
    price = (payment["amount_minor"], payment["currency"])
    placed = await tx.row(PLACE, event_id, order_id, payment["id"], *price, buyer_id, seats_per_buyer_max)
    if placed is None:
        return False
    indexes = placed["indexes"]
    await take_back_lapsed(tx, event_id, indexes, [order_id])
    made_good = await tx.rows(ACTIVATE, event_id, order_id)
    names = ([new_id() for _ in indexes], [new_reference() for _ in indexes])
    made = await tx.rows(ISSUE_MISSING, event_id, order_id, indexes, *names)
    of_tickets = [ticket["id"] for ticket in (*made_good, *made)]
    await announce_tickets(tx, AnnouncementKind.TICKET_PURCHASED, event_id, of_tickets)
    tx.changed_events.add(event_id)
    tx.seats_sold += len(indexes)
    return True


async def take_back(tx: Transaction, payment: Record) -> None:
    """Take the tickets back that an order has for a payment that will not pay it; its hold lives on."""
    if await tx.row(PAYS_NO_MORE, payment["event_id"], payment["order_id"], payment["id"]):
        await take_back_of_orders(tx, payment["event_id"], [payment["order_id"]])


async def give_up_payment(tx: Transaction, order: Record) -> None:
    """Take the tickets of an order back that ends, and have its open payment cancelled at the provider."""
    if order["payment_id"] is not None:
        await take_back_of_orders(tx, order["event_id"], [order["id"]])
        await tx.rows(NOBODY_WAITS, order["buyer_id"], order["payment_id"])
