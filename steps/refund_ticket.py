"""Pay one ticket back: it is dead, its seat free, and its price with whoever owns it."""

from uuid import UUID

from database import Transaction
from models.notifications import NotificationKind
from models.orders import Order
from models.tickets import Ticket
from steps.idempotency import Key, claim
from steps.pay_back import pay_back_tickets
from steps.refund import not_refundable
from steps.refusals import RefusalCode, Refused
from steps.replay import ticket_now
from steps.ticket_at_hand import ticket_at_hand

NOT_GOOD = "Only a ticket that is paid and not used can be paid back."
DISPUTED = "Its last transfer is disputed: the house decides on that first."


async def refund_ticket(
    tx: Transaction,
    *,
    caller_id: UUID,
    any_owner: bool,
    event_id: UUID,
    ticket_id: UUID,
    hours_before: int,
    key: Key | None = None,
) -> Ticket:
    """Pay one ticket back, as `refund_order` does all of an order; its other tickets stay as they are.

    Its owner may until so many hours before the event, whoever may for `any_owner` until it begins. Whoever
    got it from somebody else gets, as credits, the price that the house was paid for it and no more.
    """
    if await claim(tx, key, made=ticket_id) is not None:
        return await ticket_now(tx, event_id, ticket_id)
    found = await ticket_at_hand(
        tx,
        caller_id=caller_id,
        any_owner=any_owner,
        event_id=event_id,
        ticket_id=ticket_id,
        hours_before=0 if any_owner else hours_before,
    )
    problem = ticket_not_refundable(
        found.ticket["status"],
        found.order,
        any_owner=any_owner,
        in_time=found.in_time,
        is_disputed=found.is_disputed,
    )
    if problem is not None:
        raise problem
    kind = NotificationKind.TICKET_REFUNDED
    await pay_back_tickets(tx, found.order, found.tickets, [found.ticket], actor_id=caller_id, kind=kind)
    return await ticket_now(tx, event_id, ticket_id)


def ticket_not_refundable(
    status: str, order: Order, *, any_owner: bool, in_time: bool, is_disputed: bool
) -> Refused | None:
    """Say why a ticket of an order cannot be paid back, if so."""
    if status != "ACTIVE":
        return Refused(RefusalCode.TICKET_INVALID_STATE, NOT_GOOD)
    if is_disputed:
        return Refused(RefusalCode.REFUND_NOT_ALLOWED, DISPUTED)
    return not_refundable(order, any_buyer=any_owner, in_time=in_time)
