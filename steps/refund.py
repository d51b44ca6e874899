"""Pay an order back: money to where it came from, tickets dead, seats free, all at once or not at all."""

from uuid import UUID

from database import Transaction
from models.notifications import NotificationKind
from models.orders import Order, order_of
from models.tickets import can_be_returned
from steps.idempotency import Key, claim
from steps.locks import lock_order, lock_tickets_of_order
from steps.pay_back import disputed_among, pay_back_tickets
from steps.refusals import RefusalCode, Refused
from steps.replay import order_now

IN_TIME = """
    SELECT starts_at - make_interval(hours => $2) > statement_timestamp() FROM events WHERE id = $1"""


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
    disputed = await disputed_among(tx, event_id, tickets)
    returned = [
        ticket
        for ticket in tickets
        if can_be_returned(ticket["status"], ticket["owner_id"], order.buyer_id)
        and ticket["id"] not in disputed
    ]
    if not returned:
        raise Refused(RefusalCode.REFUND_NOT_ALLOWED, "Its tickets were used, or given to somebody else.")
    kind = NotificationKind.ORDER_REFUNDED
    return await pay_back_tickets(tx, order, tickets, returned, actor_id=caller_id, kind=kind)


def not_refundable(order: Order, *, any_buyer: bool, in_time: bool) -> Refused | None:
    """Say why an order cannot be paid back, whatever its tickets are, if so."""
    if order.status != "CONFIRMED":
        return Refused(RefusalCode.ORDER_INVALID_STATE, "Only an order that is paid can be paid back.")
    if not in_time:
        return Refused(RefusalCode.REFUND_NOT_ALLOWED, "It is too late to pay this back.")
    if order.cashier_id and order.total_minor and not any_buyer:
        return Refused(RefusalCode.REFUND_NOT_ALLOWED, "It was paid at the counter: it is paid back there.")
    return None
