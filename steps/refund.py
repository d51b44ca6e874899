"""Pay an order back: money to where it came from, tickets dead, seats free, all at once or not at all."""

from typing import Any
from uuid import UUID

from database import Transaction
from models.announcements import AnnouncementKind
from models.ledger import AccountKind
from models.orders import Order, order_of
from models.tickets import LIVE, can_be_returned
from steps.announce import announce_tickets
from steps.idempotency import Key, claim
from steps.ledger import refund_credits
from steps.locks import lock_order, lock_tickets_of_order
from steps.outbox import log_of
from steps.person_locks import lock_payment
from steps.refunds import open_refund
from steps.refusals import RefusalCode, Refused
from steps.replay import order_now

IN_TIME = """
    SELECT starts_at - make_interval(hours => $2) > statement_timestamp() FROM events WHERE id = $1"""

REFUND = f"""
    WITH returned AS (
        UPDATE tickets SET status = 'REFUNDED', version = version + 1, ended_at = statement_timestamp()
        WHERE event_id = $1 AND id = ANY($3::uuid[]) RETURNING index
    ), freed AS (
        UPDATE seats s SET status = 'A', version = s.version + 1, order_id = NULL
        WHERE s.event_id = $1 AND s.index = ANY($4::int[]) AND s.order_id = $2
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("freed")})
    UPDATE orders o SET updated_at = statement_timestamp(),
        status = CASE WHEN $5 THEN 'REFUNDED' ELSE o.status END,
        refunded_minor = least(o.total_minor, o.refunded_minor + (
            SELECT sum(i.price_minor) FROM order_items i JOIN returned r ON r.index = i.index
            WHERE i.event_id = $1 AND i.order_id = $2))
    WHERE o.event_id = $1 AND o.id = $2
    RETURNING o.*, (SELECT count(*) FROM freed) AS seats_freed"""
"""$1 event, $2 order, $3 its tickets to be paid back, $4 their seats, $5 whether no live ones stay."""


async def refund_order(
    tx: Transaction,
    *,
    caller_id: UUID,
    any_buyer: bool,
    event_id: UUID,
    order_id: UUID,
    hours_before: int,
    key: Key | None = None,
) -> Order:
    """Pay back every ticket of an order that is neither used nor given away, and free its seat.

    Its buyer may until so many hours before the event, whoever may refund `any_buyer` until it begins.
    Credits go back to the buyer's account, and to the card what it paid; what was paid at a counter is handed
    out there, so only the latter may. What an ADMIN paid back before is not paid back twice. The order is
    REFUNDED once no live ticket of it is left.
    """
    refunded_before = await claim(tx, key, made=order_id) is not None
    locked = await lock_order(tx, event_id, order_id)
    if locked is None or not (any_buyer or locked["buyer_id"] == caller_id):
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    if refunded_before:
        return await order_now(tx, event_id, order_id)
    order = order_of(locked)
    tickets = await lock_tickets_of_order(tx, event_id, order_id)
    in_time = await tx.value(IN_TIME, event_id, 0 if any_buyer else hours_before)
    if (problem := not_refundable(order, any_buyer=any_buyer, in_time=in_time)) is not None:
        raise problem
    returned = [t for t in tickets if can_be_returned(t["status"], t["owner_id"], order.buyer_id)]
    if not returned:
        raise Refused(RefusalCode.REFUND_NOT_ALLOWED, "Its tickets were used, or given to somebody else.")
    is_last = len(returned) == sum(ticket["status"] in LIVE for ticket in tickets)
    refunded = await tx.row(
        REFUND, event_id, order_id, [t["id"] for t in returned], [t["index"] for t in returned], is_last
    )
    assert refunded is not None, "what is locked is there"
    assert refunded["seats_freed"] == len(returned), "the seat of a live ticket names its order"
    tx.changed_events.add(event_id)
    amount_minor = refunded["refunded_minor"] - order.refunded_minor
    if order.cashier_id is None and amount_minor:
        await pay_back(tx, order, amount_minor, actor_id=caller_id)
    await announce_tickets(tx, AnnouncementKind.TICKET_REFUNDED, event_id, [t["id"] for t in returned])
    return order_of(refunded)


async def pay_back(
    tx: Transaction,
    order: Order,
    amount_minor: int,
    *,
    actor_id: UUID,
    reason: str | None = None,
    id: UUID | None = None,
) -> None:
    """Move an amount from the event's revenue to where it came from: the buyer's credits, or their card."""
    about: dict[str, Any] = {"actor_id": actor_id, "reason": reason, "id": id}
    if order.payment_id is None:
        await refund_credits(tx, order, amount_minor, **about)
        return
    payment = await lock_payment(tx, order.buyer_id, order.payment_id)
    assert payment is not None, "payments are never deleted"
    await open_refund(tx, payment, amount_minor, came_from=AccountKind.REVENUE, **about)


def not_refundable(order: Order, *, any_buyer: bool, in_time: bool) -> Refused | None:
    """Say why an order cannot be paid back, whatever its tickets are, if so."""
    if order.status != "CONFIRMED":
        return Refused(RefusalCode.ORDER_INVALID_STATE, "Only an order that is paid can be paid back.")
    if not in_time:
        return Refused(RefusalCode.REFUND_NOT_ALLOWED, "It is too late to pay this order back.")
    if order.cashier_id and order.total_minor and not any_buyer:
        return Refused(RefusalCode.REFUND_NOT_ALLOWED, "It was paid at the counter: it is paid back there.")
    return None
