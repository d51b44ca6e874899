"""Make a ticket good that still waits for its payment's confirmation."""

from uuid import UUID

from database import Transaction
from models.tickets import Ticket, ticket_of
from steps.idempotency import Key, claim
from steps.locks import lock_ticket
from steps.refusals import RefusalCode, Refused

NOT_PENDING = "Only a PENDING ticket can be made ACTIVE."
NOT_PAID = "Its order is not paid: confirm the order, or wait for its payment."

ACTIVATE = "UPDATE tickets SET status = 'ACTIVE' WHERE event_id = $1 AND id = $2 RETURNING *"


async def activate_ticket(
    tx: Transaction, *, event_id: UUID, ticket_id: UUID, key: Key | None = None
) -> Ticket:
    """Turn a PENDING ticket of a seat that is sold into an ACTIVE one.

    Refuses one that there is not, one that is not PENDING, and one whose seat is only held.
    """
    activated_before = await claim(tx, key, made=ticket_id) is not None
    ticket = await lock_ticket(tx, event_id, ticket_id)
    if ticket is None:
        raise Refused(RefusalCode.TICKET_NOT_FOUND)
    if not activated_before:
        if ticket["status"] != "PENDING":
            raise Refused(RefusalCode.TICKET_INVALID_STATE, NOT_PENDING)
        if ticket["seat_status"] != "S":
            raise Refused(RefusalCode.TICKET_INVALID_STATE, NOT_PAID)
        ticket = await tx.row(ACTIVATE, event_id, ticket_id)
        assert ticket is not None, "what is locked is there"
    return ticket_of(ticket)
