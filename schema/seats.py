"""Seats, and the map of the whole house."""

import strawberry

from models import seats as rows
from schema import events, ids, later, tickets, tiers
from schema.context import Info
from schema.enums import SeatStatus
from schema.money import Money
from schema.nodes import Node

_STATUSES = {status.value: status for status in SeatStatus}


@strawberry.type(description="One unit of an event that can be sold, numbered or not.")
class Seat(Node):
    index: int = strawberry.field(
        description="Its place in the event, 0 to totalSeats - 1, the same in plan, map and updates."
    )
    section: str = strawberry.field(description="The part of the house that it is in.")
    row_label: str = strawberry.field(name="row", description="Its row; empty for general admission.")
    number: str = strawberry.field(description="Its number in the row; empty for general admission.")
    status: SeatStatus = strawberry.field(description="What it is right now.")
    row: strawberry.Private[rows.Seat]

    @classmethod
    def of(cls, row: rows.Seat) -> "Seat":
        return cls(
            id=ids.seat_id(row.event_id, row.index),
            index=row.index,
            section=row.section,
            row_label=row.row,
            number=row.number,
            status=_STATUSES[row.status],
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "Seat | None":
        key = ids.read_seat(id)
        if await events.Event.visible(info, key[0]) is None:
            return None
        row = await info.context.loads.seat.load(key)
        return cls.of(row) if row else None

    @classmethod
    async def at(cls, info: Info, event_id: object, index: int) -> "Seat":
        row = await info.context.loads.seat.load((event_id, index))
        assert row is not None, "what was sold is there"
        return cls.of(row)

    @strawberry.field(description="The event that it is sold for.")
    async def event(self, info: Info) -> later.Event:
        return await events.Event.at(info, self.row.event_id)

    @strawberry.field(description="The price tier that it belongs to.")
    async def tier(self, info: Info) -> later.PricingTier:
        return await tiers.PricingTier.at(info, self.row.event_id, self.row.tier)

    @strawberry.field(description="What it costs now, all in.")
    async def price(self, info: Info) -> Money:
        tier = await info.context.loads.tier.load((self.row.event_id, self.row.tier))
        assert tier is not None, "a seat's tier is there"
        return Money.of(tier.price_minor, tier.currency)

    @strawberry.field(description="Its live ticket, for the ticket's owner and for STAFF and above.")
    async def ticket(self, info: Info) -> later.Ticket | None:
        row = await info.context.loads.live_ticket_of_seat.load((self.row.event_id, self.row.index))
        return tickets.Ticket.of(row) if row and tickets.Ticket.is_visible(info, row) else None
