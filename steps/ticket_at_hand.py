"""A ticket found, permitted and locked with all that its end changes: its order, seats, other tickets."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.orders import Order, order_of
from steps.locks import lock_order, lock_tickets_of_order
from steps.pay_back import disputed_among
from steps.refusals import RefusalCode, Refused

ORDER_OF = "SELECT order_id FROM tickets WHERE event_id = $1 AND id = $2"

MOMENT = """
    SELECT status = 'PUBLISHED' AS takes_place,
        starts_at - make_interval(hours => $2) > statement_timestamp() AS in_time
    FROM events WHERE id = $1"""


@dataclass(frozen=True)
class TicketAtHand:
    """A ticket under lock, and what its end depends on, as it is after all waiting."""

    ticket: Record
    order: Order
    tickets: Sequence[Record]
    is_disputed: bool
    takes_place: bool
    in_time: bool


async def ticket_at_hand(
    tx: Transaction, *, caller_id: UUID, any_owner: bool, event_id: UUID, ticket_id: UUID, hours_before: int
) -> TicketAtHand:
    """Lock a ticket of the caller's, or anybody's, with its order; its time ends so many hours before."""
    order_id = await tx.value(ORDER_OF, event_id, ticket_id)
    order = await lock_order(tx, event_id, order_id) if order_id else None
    tickets = await lock_tickets_of_order(tx, event_id, order_id) if order else ()
    found = [ticket for ticket in tickets if ticket["id"] == ticket_id]
    if not (order and found and (any_owner or found[0]["owner_id"] == caller_id)):
        raise Refused(RefusalCode.TICKET_NOT_FOUND)
    moment = await tx.row(MOMENT, event_id, hours_before)
    assert moment is not None, "a ticket's event is there"
    is_disputed = bool(await disputed_among(tx, event_id, found))
    return TicketAtHand(found[0], order_of(order), tickets, is_disputed, **dict(moment))
