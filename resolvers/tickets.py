"""Tickets: finding them, and making them good."""

from typing import Annotated

import strawberry

from dataloaders.pages import PageArguments
from schema import ids
from schema.context import Info
from schema.filters import TicketFilter, tickets_listing
from schema.pages import After, Before, Connection, First, Last, connect
from schema.tickets import Ticket, TicketInput, TicketPayload, TicketResult
from steps.activate_ticket import activate_ticket


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
        description="Make a PENDING ticket good, once its order is paid. ADMIN and other systems."
    )
    async def activate_ticket(
        self, info: Info, input: Annotated[TicketInput, strawberry.argument(description="Which ticket.")]
    ) -> TicketResult:
        info.context.require_service()
        event_id, ticket_id = ids.read_ticket(input.ticket_id)
        ticket = await info.context.transact(
            activate_ticket,
            event_id=event_id,
            ticket_id=ticket_id,
            key=info.context.key("activateTicket", input.idempotency_key, ticket_id=input.ticket_id),
        )
        return TicketPayload.of(ticket)
