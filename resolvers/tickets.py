"""Tickets: finding them, making them good, and giving them up."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import strawberry

from dataloaders.pages import PageArguments
from models import tickets as rows
from schema import ids
from schema.context import Info
from schema.deleted import DeletePayload, DeleteResult
from schema.filters import TicketFilter, tickets_listing
from schema.pages import After, Before, Connection, First, Last, connect
from schema.tickets import Ticket, TicketInput, TicketPayload, TicketResult
from steps.activate_ticket import activate_ticket
from steps.cancel_ticket import cancel_ticket
from steps.delete_ticket import delete_ticket
from steps.refund_ticket import refund_ticket

TheTicket = Annotated[TicketInput, strawberry.argument(description="The ticket.")]


async def end(
    info: Info, input: TicketInput, mutation: str, step: Callable[..., Awaitable[rows.Ticket]]
) -> TicketPayload:
    """Let a step end a ticket of the caller's, or of anybody's for those who run events."""
    caller, (event_id, ticket_id) = info.context.require_person(), ids.read_ticket(input.ticket_id)
    ticket = await info.context.transact(
        step,
        caller_id=caller.id,
        any_owner=caller.runs_events,
        event_id=event_id,
        ticket_id=ticket_id,
        hours_before=info.context.house.settings.refund_hours_before_event,
        key=info.context.key(mutation, input.idempotency_key, ticket_id=input.ticket_id),
    )
    return TicketPayload.of(ticket)


@strawberry.type
class TicketQueries:
    @strawberry.field(description="A ticket: one's own, or any for STAFF and above.")
    async def ticket(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Ticket | None:
        ids.read_ticket(id)
        info.context.require_viewer()
        return await Ticket.find(info, id)

    @strawberry.field(
        description="Tickets, the newest first: one's own; for STAFF those of the event or the seat that the "
        "filter names; for OPERATOR and ADMIN all."
    )
    async def tickets(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[TicketFilter | None, strawberry.argument(description="Only these tickets.")] = None,
    ) -> Connection[Ticket] | None:
        wanted = filter or TicketFilter()
        viewer = info.context.require_person()
        is_about_a_door = wanted.event_id is not None or wanted.seat_id is not None
        owner = None
        if not (viewer.works_at_the_door and is_about_a_door):
            owner = info.context.owner_of_lists(wanted.user_id)
        listing = tickets_listing(wanted, parent=("owner_id", "uuid") if owner else None)
        return await connect(info, listing, Ticket.of, PageArguments(first, after, last, before), owner)


@strawberry.type
class TicketMutations:
    @strawberry.mutation(
        description="Make a PENDING ticket good, with all of its order: its payment was validated elsewhere. "
        "ADMIN and other systems."
    )
    async def activate_ticket(
        self, info: Info, input: Annotated[TicketInput, strawberry.argument(description="Which ticket.")]
    ) -> TicketResult:
        caller, (event_id, ticket_id) = info.context.require_service(), ids.read_ticket(input.ticket_id)
        ticket = await info.context.transact(
            activate_ticket,
            actor_id=caller.id,
            event_id=event_id,
            ticket_id=ticket_id,
            seats_per_buyer_max=info.context.house.settings.seats_per_buyer_max,
            key=info.context.key("activateTicket", input.idempotency_key, ticket_id=input.ticket_id),
        )
        return TicketPayload.of(ticket)

    @strawberry.mutation(
        description="Give a ticket up; its seat is on sale again, and no money goes back, unless the house "
        "pays for that too. Its owner until some hours before the event, OPERATOR and ADMIN until it begins."
    )
    async def cancel_ticket(self, info: Info, input: TheTicket) -> TicketResult:
        is_paid_back = info.context.house.settings.cancelled_tickets_paid_back
        return await end(info, input, "cancelTicket", refund_ticket if is_paid_back else cancel_ticket)

    @strawberry.mutation(
        description="Pay one ticket back, to where the money came from; to whom it was given, as credits. "
        "Its owner until some hours before the event, OPERATOR and ADMIN until it begins."
    )
    async def refund_ticket(self, info: Info, input: TheTicket) -> TicketResult:
        return await end(info, input, "refundTicket", refund_ticket)

    @strawberry.mutation(
        description="Delete a ticket that was cancelled or paid back; the books keep what was paid. ADMIN."
    )
    async def delete_ticket(self, info: Info, input: TheTicket) -> DeleteResult:
        admin, (event_id, ticket_id) = info.context.require_admin(), ids.read_ticket(input.ticket_id)
        deleted = await info.context.transact(
            delete_ticket,
            actor_id=admin.id,
            event_id=event_id,
            ticket_id=ticket_id,
            key=info.context.key("deleteTicket", input.idempotency_key, ticket_id=input.ticket_id),
        )
        return DeletePayload(deleted_id=ids.ticket_id(*deleted))
