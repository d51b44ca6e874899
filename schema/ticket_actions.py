"""What a caller may do with a ticket now, as the mutations themselves decide it."""

import asyncio
from datetime import timedelta
from enum import Enum

import strawberry

from models import tickets as rows
from models.catalogue import EventStatus
from schema.context import Info
from steps.cancel_ticket import not_cancellable
from steps.refund_ticket import ticket_not_refundable


@strawberry.enum(description="What a caller may do with a ticket.")
class TicketAction(Enum):
    SHOW_QR = strawberry.enum_value("SHOW_QR", description="Show its code at the door: `qr`.")
    TRANSFER = strawberry.enum_value(
        "TRANSFER", description="Give it to somebody else, with `initiateTransfer`."
    )
    CANCEL = strawberry.enum_value("CANCEL", description="Give it up, with `cancelTicket`.")
    REFUND = strawberry.enum_value("REFUND", description="Have it paid back, with `refundTicket`.")


async def actions_of(info: Info, ticket: rows.Ticket) -> list[TicketAction]:
    """What the caller may do with a ticket at this moment; nothing for those who only see it."""
    viewer = info.context.viewer
    is_owner = info.context.is_person(ticket.owner_id)
    if viewer is None or not (is_owner or viewer.runs_events) or ticket.status not in rows.SHOWN:
        return []
    loads, key = info.context.loads, (ticket.event_id, ticket.id)
    event, order, now, transfers = await asyncio.gather(
        loads.event.load((ticket.event_id,)),
        loads.order.load((ticket.event_id, ticket.order_id)),
        loads.now.load(()),
        loads.standing_transfers_of_ticket.load(key),
    )
    assert event is not None, "what belongs to an event has it"
    assert order is not None, "a ticket's order is there"
    settings, statuses = info.context.house.settings, [transfer.status for transfer in transfers]
    is_disputed = "DISPUTED" in statuses
    hours = 0 if viewer.runs_events else settings.refund_hours_before_event
    in_time = event.starts_at - timedelta(hours=hours) > now
    takes_place = event.status in {EventStatus.PUBLISHED, EventStatus.ENDED}
    is_good = ticket.status == "ACTIVE" and takes_place and not is_disputed
    closes_at = event.starts_at - timedelta(minutes=settings.transfer_closes_minutes)
    is_free = "PENDING_OTP" not in statuses and len(statuses) < settings.transfers_per_ticket_max
    is_refundable = not ticket_not_refundable(
        ticket.status, order, any_owner=viewer.runs_events, in_time=in_time, is_disputed=is_disputed
    )
    is_cancellable = not not_cancellable(
        ticket.status, takes_place=takes_place, in_time=in_time, is_disputed=is_disputed
    )
    possible = {
        TicketAction.SHOW_QR: is_owner,
        TicketAction.TRANSFER: is_owner and is_good and is_free and closes_at > now,
        TicketAction.CANCEL: is_refundable if settings.cancelled_tickets_paid_back else is_cancellable,
        TicketAction.REFUND: is_refundable,
    }
    return [action for action, is_possible in possible.items() if is_possible]
