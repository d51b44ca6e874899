"""Delete a ticket that is over: its row goes, the books stay, and so does a line that says who did it."""

import logging
from uuid import UUID

from database import Transaction
from steps.end_transfer import tell_of_failed
from steps.idempotency import Key, claim
from steps.locks import lock_ticket_alone
from steps.pay_back import disputed_among
from steps.refusals import RefusalCode, Refused

log = logging.getLogger("rowlock.tickets")

OVER = {"CANCELLED", "REFUNDED"}

DELETE = """
    WITH gone AS (
        DELETE FROM tickets WHERE event_id = $1 AND id = $2 RETURNING *
    )
    INSERT INTO deleted_tickets (event_id, id, reference, order_id, index, owner_id, status, price_minor,
        currency, purchased_at, ended_at, deleted_by)
    SELECT event_id, id, reference, order_id, index, owner_id, status, price_minor, currency, purchased_at,
        ended_at, $3 FROM gone"""
"""$1 event, $2 ticket, $3 who deletes it."""


END_TRANSFERS = """
    UPDATE transfers SET status = 'FAILED'
    WHERE event_id = $1 AND ticket_id = $2 AND status = 'PENDING_OTP' RETURNING *"""


async def delete_ticket(
    tx: Transaction, *, actor_id: UUID, event_id: UUID, ticket_id: UUID, key: Key | None = None
) -> tuple[UUID, UUID]:
    """Delete a ticket that was cancelled or paid back, and return its key.

    Its transfers and scans stay, since money and the log speak of them, and name a ticket that is no more; a
    transfer that waited has failed. Refuses a ticket that is good or used, and one whose dispute is open.
    """
    if await claim(tx, key, made=ticket_id) is None:
        ticket = await lock_ticket_alone(tx, event_id, ticket_id)
        if ticket is None:
            raise Refused(RefusalCode.TICKET_NOT_FOUND)
        if ticket["status"] not in OVER:
            raise _refused("Only a ticket that was cancelled or paid back can be deleted.")
        if await disputed_among(tx, event_id, [ticket]):
            raise _refused("Its last transfer is disputed: decide on that first.")
        await tx.rows(DELETE, event_id, ticket_id, actor_id)
        await tell_of_failed(tx, await tx.rows(END_TRANSFERS, event_id, ticket_id))
        log.info("ticket %s of event %s was deleted by %s", ticket_id, event_id, actor_id)
    return event_id, ticket_id


def _refused(why: str) -> Refused:
    return Refused(RefusalCode.TICKET_INVALID_STATE, why)
