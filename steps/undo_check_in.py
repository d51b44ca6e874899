"""Take an admission back, with a reason: the ticket is good again, and its seat is sold and not inside."""

from uuid import UUID

from database import Transaction
from models.door import STANDING_ADMISSION
from models.tickets import Ticket, ticket_of
from steps.locks import lock_ticket
from steps.outbox import log_of
from steps.refusals import Inputs, RefusalCode, Refused

REASON_CHARACTERS_MAX = 500

UNDO = f"""
    WITH undone AS (
        UPDATE scans SET undone_at = statement_timestamp(), undone_by = $3, undone_reason = $4
        WHERE event_id = $1 AND ticket_id = $2 AND {STANDING_ADMISSION} RETURNING id
    ), left_again AS (
        UPDATE seats s SET status = 'S', version = s.version + 1
        WHERE s.event_id = $1 AND s.index = $5 AND s.status = 'C'
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("left_again")})
    UPDATE tickets SET status = 'ACTIVE' WHERE event_id = $1 AND id = $2
    RETURNING *,
        (SELECT count(*) FROM undone) AS scans_undone, (SELECT count(*) FROM left_again) AS seats_left"""
"""$1 event, $2 ticket, $3 who, $4 why, $5 its seat."""


async def undo_check_in(
    tx: Transaction, *, actor_id: UUID, event_id: UUID, ticket_id: UUID, reason: str
) -> Ticket:
    """Let a ticket that is inside be outside again; the entry log says who did it, and why.

    Refuses one that there is not, and one that is not checked in.
    """
    inputs = Inputs()
    inputs.check_text(reason, "input.reason", "reason", REASON_CHARACTERS_MAX)
    inputs.refuse_if_wrong()
    ticket = await lock_ticket(tx, event_id, ticket_id)
    if ticket is None:
        raise Refused(RefusalCode.TICKET_NOT_FOUND)
    if ticket["status"] != "CHECKED_IN":
        raise Refused(RefusalCode.TICKET_INVALID_STATE, "This ticket is not checked in.")
    undone = await tx.row(UNDO, event_id, ticket_id, actor_id, reason.strip(), ticket["index"])
    assert undone is not None, "what is locked is there"
    assert undone["scans_undone"] == undone["seats_left"] == 1, "who is inside was admitted once"
    tx.changed_events.add(event_id)
    return ticket_of(undone)
