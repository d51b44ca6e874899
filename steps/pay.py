"""Pay for what is held: money to the house, seats and tickets to the buyer, all at once or not at all."""

from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.columns import new_id, new_reference
from models.orders import Order, order_of
from steps.idempotency import Key, claim
from steps.ledger import charge_credits
from steps.locks import lock_order
from steps.outbox import log_of
from steps.refusals import InFlight, RefusalCode, Refused, seats_refused
from steps.replay import order_now
from steps.sales import EVENT_FACTS, refuse_if_over

SELL = f"""
    WITH event AS ({EVENT_FACTS}
    ), held AS (
        SELECT s.index, i.price_minor FROM orders o
        JOIN order_items i ON i.event_id = o.event_id AND i.order_id = o.id
        JOIN seats s ON s.event_id = i.event_id AND s.index = i.index
        WHERE o.event_id = $1 AND o.id = $2 AND s.order_id = o.id AND s.status = 'H'
            AND o.status = 'PENDING' AND o.held_until > statement_timestamp()
    ), listed AS (
        SELECT index FROM order_items WHERE event_id = $1 AND order_id = $2
    ), whole AS (
        SELECT 1 FROM event e
        WHERE e.status = 'PUBLISHED' AND NOT e.is_over
            AND ARRAY(SELECT index FROM held ORDER BY index) = $3::int[]
            AND ARRAY(SELECT index FROM listed ORDER BY index) = $3::int[]
    ), sold AS (
        UPDATE seats s SET status = 'S', version = s.version + 1, held_until = NULL
        FROM held h, whole WHERE s.event_id = $1 AND s.index = h.index
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("sold")}
    ), confirmed AS (
        UPDATE orders SET status = 'CONFIRMED', held_until = NULL, updated_at = statement_timestamp()
        FROM whole WHERE event_id = $1 AND id = $2
        RETURNING updated_at, buyer_id, currency
    ), issued AS (
        INSERT INTO tickets
            (event_id, id, reference, order_id, index, owner_id, status, price_minor, currency)
        SELECT $1, n.id, n.reference, $2, h.index, c.buyer_id, 'ACTIVE', h.price_minor, c.currency
        FROM confirmed c, held h
        JOIN unnest($3::int[], $4::uuid[], $5::text[]) AS n (index, id, reference) ON n.index = h.index
    )
    SELECT c.updated_at, e.status, e.is_over,
        (SELECT held_until <= statement_timestamp() FROM orders WHERE event_id = $1 AND id = $2) AS lapsed,
        ARRAY(SELECT index FROM listed) AS listed, ARRAY(SELECT index FROM held) AS held
    FROM event e LEFT JOIN confirmed c ON true"""
"""$1 event, $2 order, $3 the seats under lock, $4 and $5 an id and a reference for a ticket of each."""


async def pay_order(
    tx: Transaction,
    *,
    buyer_id: UUID,
    event_id: UUID,
    order_id: UUID,
    credits_currency: str,
    key: Key | None = None,
) -> Order:
    """Pay with the buyer's credits: the money moves and every seat becomes a ticket, or nothing does.

    The hold itself is consumed, under its lock, so a lapsed or foreign hold is never payable. Under a `key`
    that was used before it answers with the order as it is now.
    """
    paid_before = await claim(tx, key, made=order_id) is not None
    order = await lock_order(tx, event_id, order_id)
    if order is None or order["buyer_id"] != buyer_id:
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    if paid_before:
        return await order_now(tx, event_id, order_id)
    _refuse_unless_payable(order, credits_currency)
    indexes = order["indexes"]
    row = await tx.row(
        SELL,
        event_id,
        order_id,
        indexes,
        [new_id() for _ in indexes],
        [new_reference() for _ in indexes],
    )
    assert row is not None, "an order's event is there"
    if row["updated_at"] is None:
        raise _refusal(row, event_id)
    tx.changed_events.add(event_id)
    await charge_credits(
        tx,
        user_id=buyer_id,
        amount_minor=order["total_minor"],
        currency=order["currency"],
        event_id=event_id,
        order_id=order_id,
    )
    return order_of({**order, "status": "CONFIRMED", "held_until": None, "updated_at": row["updated_at"]})


def _refuse_unless_payable(order: Record, credits_currency: str) -> None:
    match order["status"]:
        case "CONFIRMED" | "COMPLETED":
            raise Refused(RefusalCode.ORDER_ALREADY_CONFIRMED)
        case "EXPIRED":
            raise Refused(RefusalCode.HOLD_EXPIRED)
        case "CANCELLED" | "REFUNDED":
            raise Refused(RefusalCode.ORDER_INVALID_STATE)
    if order["total_minor"] and order["currency"] != credits_currency:
        raise Refused(
            RefusalCode.PAYMENT_METHOD_NOT_ALLOWED,
            f"Credits are in {credits_currency}; this order is in {order['currency']}.",
        )


def _refusal(row: Record, event_id: UUID) -> Refused:
    """Say why a PENDING order was not sold: its event, its time, or a seat that it lost."""
    try:
        refuse_if_over(row)
    except Refused as refusal:
        return refusal
    if row["lapsed"]:
        return Refused(RefusalCode.HOLD_EXPIRED)
    lost = set(row["listed"]) - set(row["held"])
    if lost:
        return seats_refused(RefusalCode.SEAT_NOT_HELD, event_id, lost)
    return InFlight(RefusalCode.BUSY, retry_after_seconds=1)
