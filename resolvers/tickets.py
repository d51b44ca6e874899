"""Tickets: finding them."""

from typing import Annotated

import strawberry

from dataloaders.pages import PageArguments
from schema import ids
from schema.context import Info
from schema.filters import TicketFilter, tickets_listing
from schema.pages import After, Before, Connection, First, Last, connect
from schema.tickets import Ticket


@strawberry.type
class TicketQueries:
    @strawberry.field(description="A ticket: one's own, or any for STAFF and above.")
    async def ticket(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Ticket | None:
        ids.read_ticket(id)
        info.context.require_viewer()
        return await Ticket.find(info, id)

    @strawberry.field(description="Tickets, the newest first: one's own, or all for OPERATOR and ADMIN.")
    async def tickets(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[TicketFilter | None, strawberry.argument(description="Only these tickets.")] = None,
    ) -> Connection[Ticket] | None:
        owner = info.context.owner_of_lists(filter.user_id if filter else None)
        listing = tickets_listing(filter or TicketFilter(), parent=("owner_id", "uuid") if owner else None)
        return await connect(info, listing, Ticket.of, PageArguments(first, after, last, before), owner)
