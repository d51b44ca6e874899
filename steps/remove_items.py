"""Give some seats of an order back before it is paid."""

from collections.abc import Collection
from uuid import UUID

from database import Transaction
from models.orders import Order, order_of
from steps.idempotency import Key, claim
from steps.outbox import log_of
from steps.pending import HELD, buyer_of, lock_pending_order
from steps.refusals import RefusalCode, Refused, invalid, seats_refused
from steps.replay import order_now

REMOVE = f"""
    WITH held AS MATERIALIZED ({HELD.format("$2")}
    ), shrunk AS (
        UPDATE orders o SET updated_at = statement_timestamp(), total_minor = o.total_minor - (
            SELECT sum(price_minor) FROM order_items
            WHERE event_id = $1 AND order_id = $2 AND index = ANY($3::int[]))
        FROM held h WHERE o.event_id = $1 AND o.id = $2 AND h.in_time
        RETURNING o.*
    ), unlisted AS (
        DELETE FROM order_items i USING shrunk
        WHERE i.event_id = $1 AND i.order_id = $2 AND i.index = ANY($3::int[])
    ), freed AS (
        UPDATE seats s SET status = 'A', version = s.version + 1, held_until = NULL, order_id = NULL
        FROM shrunk o WHERE s.event_id = $1 AND s.index = ANY($3::int[]) AND s.order_id = o.id
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("freed")})
    SELECT * FROM shrunk"""
"""$1 event, $2 order, $3 indexes of seats of it, all under lock."""


async def remove_order_items(
    tx: Transaction,
    *,
    caller_id: UUID,
    any_buyer: bool,
    event_id: UUID,
    order_id: UUID,
    indexes: Collection[int],
    key: Key | None = None,
) -> Order:
    """Take these seats out of a PENDING order and free them, or none of them; the rest stays held.

    Only its buyer may, unless the caller may for `any_buyer`. Refuses seats that are not in the order
    (SEAT_NOT_HELD), and to take all: that is to cancel it.
    """
    removed_before = await claim(tx, key, made=order_id) is not None
    await buyer_of(tx, caller_id, event_id, order_id, any_buyer=any_buyer)
    if removed_before:
        return await order_now(tx, event_id, order_id)
    order = await lock_pending_order(tx, event_id, order_id)
    given_up, theirs = set(indexes), set(order["indexes"])
    if not given_up <= theirs:
        raise seats_refused(RefusalCode.SEAT_NOT_HELD, event_id, given_up - theirs)
    if not given_up:
        raise invalid("input.seatIds", "Choose at least one seat.")
    if given_up == theirs:
        raise invalid("input.seatIds", "An order has at least one seat: to give all back, cancel it.")
    shrunk = await tx.row(REMOVE, event_id, order_id, sorted(given_up))
    if shrunk is None:
        raise Refused(RefusalCode.HOLD_EXPIRED)
    tx.changed_events.add(event_id)
    return order_of(shrunk)
