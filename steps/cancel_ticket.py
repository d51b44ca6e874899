"""Give one ticket up without money back: it is dead, and its seat is on sale again."""

from uuid import UUID

from database import Transaction
from models.announcements import AnnouncementKind
from models.notifications import NotificationKind
from models.tickets import Ticket, ticket_of
from steps.announce import announce_tickets
from steps.idempotency import Key, claim
from steps.notify import Notice, notify
from steps.outbox import log_of
from steps.refusals import RefusalCode, Refused
from steps.replay import ticket_now
from steps.ticket_at_hand import ticket_at_hand

CANCEL = f"""
    WITH freed AS (
        UPDATE seats s SET status = 'A', version = s.version + 1, order_id = NULL
        WHERE s.event_id = $1 AND s.index = $3 AND s.order_id = $4
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("freed")})
    UPDATE tickets SET status = 'CANCELLED', version = version + 1, ended_at = statement_timestamp()
    WHERE event_id = $1 AND id = $2 RETURNING *, (SELECT count(*) FROM freed) AS seats_freed"""
"""$1 event, $2 ticket, $3 its seat, $4 its order."""


async def cancel_ticket(
    tx: Transaction,
    *,
    caller_id: UUID,
    any_owner: bool,
    event_id: UUID,
    ticket_id: UUID,
    hours_before: int,
    key: Key | None = None,
) -> Ticket:
    """Cancel a ticket and free its seat; nothing is paid back, and its order stays as it is.

    Its owner may until so many hours before the event, whoever may for `any_owner` until it begins. Refuses
    what is not good, or used, and any ticket of an event that is cancelled, since those are paid back.
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
    problem = not_cancellable(
        found.ticket["status"],
        takes_place=found.takes_place,
        in_time=found.in_time,
        is_disputed=found.is_disputed,
    )
    if problem is not None:
        raise problem
    cancelled = await tx.row(CANCEL, event_id, ticket_id, found.ticket["index"], found.order.id)
    assert cancelled is not None, "what is locked is there"
    assert cancelled["seats_freed"] == 1, "the seat of a live ticket names its order"
    tx.changed_events.add(event_id)
    await announce_tickets(tx, AnnouncementKind.TICKET_CANCELLED, event_id, [ticket_id])
    ticket = ticket_of(cancelled)
    about = (event_id, ticket.order_id, ticket_id)
    await notify(tx, Notice(ticket.owner_id, NotificationKind.TICKET_CANCELLED, *about))
    return ticket


def not_cancellable(status: str, *, takes_place: bool, in_time: bool, is_disputed: bool) -> Refused | None:
    """Say why a ticket cannot be cancelled, if so."""
    if status != "ACTIVE":
        return _refused("Only a ticket that is paid and not used can be cancelled.")
    if not takes_place:
        return _refused("The event is cancelled: its tickets are paid back.")
    if not in_time:
        return _refused("It is too late to cancel this ticket.")
    return (
        _refused("Its last transfer is disputed: the house decides on that first.") if is_disputed else None
    )


def _refused(why: str) -> Refused:
    return Refused(RefusalCode.TICKET_INVALID_STATE, why)
