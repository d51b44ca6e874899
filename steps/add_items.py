"""Hold more seats in an order that is not paid yet: all of them, or none."""

from uuid import UUID

from database import Transaction
from models.orders import Order, order_of
from models.seats import is_free
from steps.codes import unverify_code
from steps.hold import SEATS_OF_BUYER, Limits, why_not_held
from steps.idempotency import Key, claim
from steps.locks import SEATS_BY_INDEX, lock_buyers
from steps.outbox import log_of
from steps.pending import HELD, buyer_of, lock_pending_order
from steps.refusals import RefusalCode, Refused
from steps.replay import order_now
from steps.reserve import Attempt, Selection, wrong_number
from steps.sales import EVENT_FACTS, IS_ON_SALE
from steps.take_back_tickets import take_back_lapsed

ADD = f"""
    WITH event AS ({EVENT_FACTS}
    ), wish AS (
        SELECT ({SEATS_OF_BUYER}) AS theirs FROM (SELECT $4::uuid AS buyer_id) w
    ), found AS MATERIALIZED ({SEATS_BY_INDEX}
    ), free AS MATERIALIZED (
        SELECT f.index, f.tier, f.status, t.price_minor FROM found f
        JOIN tiers t ON t.event_id = $1 AND t.number = f.tier
        WHERE {is_free("f")}
    ), held AS MATERIALIZED ({HELD.format("$3")}
    ), grown AS (
        UPDATE orders o SET updated_at = statement_timestamp(),
            total_minor = o.total_minor + (SELECT sum(price_minor) FROM free)
        FROM event e, wish w, held h
        WHERE o.event_id = $1 AND o.id = $3 AND h.in_time AND {IS_ON_SALE}
            AND w.theirs + cardinality($2::int[]) <= $5
            AND (SELECT count(*) FROM free) = cardinality($2::int[])
        RETURNING o.*
    ), taken AS (
        UPDATE seats s SET status = 'H', version = s.version + 1, held_until = g.held_until, order_id = g.id
        FROM grown g, free f
        WHERE s.event_id = $1 AND s.index = ANY($2::int[]) AND s.index = f.index
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("taken")}
    ), listed AS (
        INSERT INTO order_items (event_id, order_id, index, tier, price_minor)
        SELECT $1, g.id, f.index, f.tier, f.price_minor FROM grown g, free f
    )
    SELECT {", ".join(f"g.{column}" for column in Order.model_fields)},
        w.theirs, e.status AS event_status, e.total_seats, e.is_over, e.in_sales_time,
        ARRAY(SELECT index FROM found) AS found, ARRAY(SELECT index FROM free) AS free,
        ARRAY(SELECT index FROM found WHERE status IN ('S', 'C')) AS sold,
        (SELECT count(*) FROM taken) AS taken, NOT h.in_time AS lapsed
    FROM wish w CROSS JOIN held h LEFT JOIN event e ON true LEFT JOIN grown g ON true"""
"""$1 event, $2 indexes, $3 the order under lock, $4 its buyer, $5 seats that the buyer may have."""


async def add_order_items(
    tx: Transaction,
    *,
    caller_id: UUID,
    any_buyer: bool,
    event_id: UUID,
    order_id: UUID,
    selection: Selection,
    limits: Limits,
    key: Key | None = None,
) -> Order:
    """Hold all of these seats in a PENDING order, or none of them, as `reserve_seats` would in a new one.

    They are held for as long as the order's other seats, at the prices of now. Only its buyer may, unless the
    caller may for `any_buyer`, and then without the buyer's limit. A code that was verified for the order was
    for less: it counts no longer.
    """
    added_before = await claim(tx, key, made=order_id) is not None
    buyer_id = await buyer_of(tx, caller_id, event_id, order_id, any_buyer=any_buyer)
    if added_before:
        return await order_now(tx, event_id, order_id)
    if buyer_id != caller_id:
        limits = limits.without_buyers()
    if (problem := wrong_number(selection, limits)) is not None:
        raise problem
    await lock_buyers(tx, event_id, [buyer_id])
    order = await lock_pending_order(tx, event_id, order_id)
    if (problem := wrong_number(selection, limits, already=len(order["indexes"]))) is not None:
        raise problem

    async def add(indexes: tuple[int, ...]) -> Order | Refused:
        row = await tx.row(ADD, event_id, indexes, order_id, buyer_id, limits.seats_per_buyer_max)
        assert row is not None, "the order is locked, so it is there"
        if row["id"] is None:
            held_out = Refused(RefusalCode.HOLD_EXPIRED)
            return held_out if row["lapsed"] else why_not_held(row, event_id, set(indexes))
        assert row["taken"] == len(indexes), "what is locked and free is taken, to the last seat"
        await take_back_lapsed(tx, event_id, indexes, [order_id])
        await unverify_code(tx, buyer_id, order_id)
        tx.changed_events.add(event_id)
        tx.seats_held += len(indexes)
        return order_of(row)

    return await Attempt(tx, event_id, add).of(selection)
