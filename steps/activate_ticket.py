"""Make a ticket good whose payment somebody else has validated."""

from uuid import UUID

from database import Transaction
from models.notifications import NotificationKind
from models.tickets import Ticket
from models.transactions import TransactionStatus
from steps.idempotency import Key, claim
from steps.notify import Notice, notify
from steps.place import lock_payment_and_order
from steps.refusals import RefusalCode, Refused
from steps.replay import ticket_now
from steps.settle import settle_by_hand

NOT_PENDING = "Only a PENDING ticket can be made ACTIVE."
TOO_LATE = "Its order cannot be kept any more: its event is over, or others have its seats."
VALIDATED = "A ticket of its order was activated."

PAID_BY = """
    SELECT o.buyer_id, o.payment_id
    FROM tickets t JOIN orders o ON o.event_id = t.event_id AND o.id = t.order_id
    WHERE t.event_id = $1 AND t.id = $2"""


async def activate_ticket(
    tx: Transaction,
    *,
    actor_id: UUID,
    event_id: UUID,
    ticket_id: UUID,
    seats_per_buyer_max: int,
    key: Key | None = None,
) -> Ticket:
    """Turn a PENDING ticket into an ACTIVE one: the payment that its order waits for was made.

    A payment is for a whole order, so the order is CONFIRMED and all its tickets are ACTIVE, as when the
    provider says so; the books name who said it. Refuses a ticket that is not PENDING, and one whose order
    cannot be kept any more, of which nothing is booked then.
    """
    if await claim(tx, key, made=ticket_id) is not None:
        return await ticket_now(tx, event_id, ticket_id)
    paid_by = await tx.row(PAID_BY, event_id, ticket_id)
    if paid_by is None:
        raise Refused(RefusalCode.TICKET_NOT_FOUND)
    payment = (paid_by["buyer_id"], paid_by["payment_id"])
    await lock_payment_and_order(tx, *payment)
    if (await ticket_now(tx, event_id, ticket_id)).status != "PENDING":
        raise Refused(RefusalCode.TICKET_INVALID_STATE, NOT_PENDING)
    await settle_by_hand(
        tx,
        actor_id=actor_id,
        user_id=payment[0],
        id=payment[1],
        status=TransactionStatus.SUCCESS,
        reason=VALIDATED,
        seats_per_buyer_max=seats_per_buyer_max,
    )
    ticket = await ticket_now(tx, event_id, ticket_id)
    if ticket.status != "ACTIVE":
        raise Refused(RefusalCode.TICKET_INVALID_STATE, TOO_LATE)
    about = (event_id, ticket.order_id, ticket_id)
    await notify(tx, Notice(ticket.owner_id, NotificationKind.TICKET_ACTIVATED, *about))
    return ticket
