"""The one statement that turns held seats into tickets: for each order all of its seats, or none of them."""

from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.announcements import AnnouncementKind
from models.columns import new_id, new_reference
from models.orders import Order, order_of
from steps.announce import announcements_of
from steps.outbox import log_of
from steps.refusals import InFlight, RefusalCode, Refused, seats_refused
from steps.sales import EVENT_FACTS, refuse_if_over

PURCHASED = f"'{AnnouncementKind.TICKET_PURCHASED}'"

# The lateral joins, each with OFFSET 0, keep the planner to the order in which this is written, and to keys.
SELL = f"""
    WITH event AS ({EVENT_FACTS}
    ), wanted AS (
        SELECT * FROM unnest($3::uuid[], $4::int[], $5::uuid[], $6::text[])
            AS w (order_id, index, ticket_id, reference)
    ), held AS MATERIALIZED (
        SELECT w.*, i.price_minor FROM wanted w
        CROSS JOIN LATERAL (SELECT status, held_until FROM orders
            WHERE event_id = $1 AND id = w.order_id OFFSET 0) o
        CROSS JOIN LATERAL (SELECT price_minor FROM order_items
            WHERE event_id = $1 AND order_id = w.order_id AND index = w.index OFFSET 0) i
        CROSS JOIN LATERAL (SELECT FROM seats WHERE event_id = $1 AND index = w.index
            AND order_id = w.order_id AND status = 'H' OFFSET 0) s
        WHERE o.status = 'PENDING' AND o.held_until > statement_timestamp()
    ), listed AS MATERIALIZED (
        SELECT order_id, index FROM order_items WHERE event_id = $1 AND order_id = ANY($2::uuid[])
    ), whole AS MATERIALIZED (
        SELECT l.order_id AS id FROM event e, listed l LEFT JOIN held h USING (order_id, index)
        WHERE e.status = 'PUBLISHED' AND NOT e.is_over
        GROUP BY l.order_id HAVING count(*) = count(h.index)
    ), sold AS (
        UPDATE seats s SET status = 'S', version = s.version + 1, held_until = NULL
        FROM whole w JOIN held h ON h.order_id = w.id
        WHERE s.event_id = $1 AND s.index = ANY($4::int[]) AND s.index = h.index
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("sold")}
    ), confirmed AS (
        UPDATE orders o SET status = 'CONFIRMED', held_until = NULL, updated_at = statement_timestamp()
        FROM whole w WHERE o.event_id = $1 AND o.id = ANY($2::uuid[]) AND o.id = w.id
        RETURNING o.id, o.updated_at, o.buyer_id, o.currency
    ), issued AS (
        INSERT INTO tickets
            (event_id, id, reference, order_id, index, owner_id, status, price_minor, currency)
        SELECT $1, h.ticket_id, h.reference, c.id, h.index, c.buyer_id, 'ACTIVE', h.price_minor, c.currency
        FROM confirmed c JOIN held h ON h.order_id = c.id
        RETURNING *
    ), announced AS ({announcements_of("issued", PURCHASED, "$7::uuid[]")}
    )
    SELECT c.updated_at, e.status, e.is_over, o.held_until <= statement_timestamp() AS lapsed,
        ARRAY(SELECT index FROM listed l WHERE l.order_id = o.id) AS listed,
        ARRAY(SELECT index FROM held h WHERE h.order_id = o.id) AS held
    FROM event e, orders o LEFT JOIN confirmed c ON c.id = o.id
    WHERE o.event_id = $1 AND o.id = ANY($2::uuid[])
    ORDER BY array_position($2, o.id)"""
"""$1 event, $2 orders; for each seat under lock $3 its order, $4 its index, and for its ticket $5 an id and
$6 a reference; $7 an id for the announcement of each order."""


async def sell(tx: Transaction, event_id: UUID, orders: Sequence[Record]) -> list[Order | Refused]:
    """Sell for each of these orders under lock all of its seats, or none; answer with it, or with why not."""
    seats = [
        (order["id"], index, new_id(), new_reference()) for order in orders for index in order["indexes"]
    ]
    columns = zip(*seats, strict=True) if seats else ([], [], [], [])
    announcements = [new_id() for _ in orders]
    rows = await tx.rows(SELL, event_id, [order["id"] for order in orders], *columns, announcements)
    if any(row["updated_at"] for row in rows):
        tx.changed_events.add(event_id)
        tx.seats_sold += sum(len(row["held"]) for row in rows if row["updated_at"])
    return [_sold(order, row) for order, row in zip(orders, rows, strict=True)]


def _sold(order: Record, row: Record) -> Order | Refused:
    if row["updated_at"] is None:
        return _refusal(row, order["event_id"])
    return order_of({**order, "status": "CONFIRMED", "held_until": None, "updated_at": row["updated_at"]})


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
