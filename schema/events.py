"""Events: what takes place, where and when, and what can be had."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from dataloaders.pages import PageArguments
from models import catalogue as rows
from schema import ids, later, maps, seats, tiers, venues
from schema.context import Info
from schema.enums import EventStatus
from schema.filters import SeatFilter, seats_listing
from schema.nodes import Node
from schema.pages import After, Before, Connection, First, Last, connect
from schema.refusals import Refusal


@strawberry.type(description="Something that takes place in a hall at a time, and that seats are sold for.")
class Event(Node):
    name: str = strawberry.field(description="What it is called.")
    description: str = strawberry.field(description="What it is about.")
    category: str = strawberry.field(description="What kind of event it is.")
    starts_at: datetime = strawberry.field(description="When it starts.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    timezone: str = strawberry.field(description="The time zone of its place, by IANA's name.")
    sales_start_at: datetime | None = strawberry.field(
        description="When the sale starts; null: with its publication."
    )
    sales_end_at: datetime | None = strawberry.field(description="When the sale ends; null: with the event.")
    status: EventStatus = strawberry.field(description="Where it is in its life.")
    total_seats: int = strawberry.field(description="How many seats and places there are.")
    row: strawberry.Private[rows.Event]

    @classmethod
    def of(cls, row: rows.Event) -> "Event":
        return cls(
            id=ids.event_id(row.id),
            name=row.name,
            description=row.description,
            category=row.category,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            timezone=row.timezone,
            sales_start_at=row.sales_start_at,
            sales_end_at=row.sales_end_at,
            status=EventStatus(row.status),
            total_seats=row.total_seats,
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "Event | None":
        return await cls.visible(info, ids.read_event(id))

    @classmethod
    async def visible(cls, info: Info, event_id: UUID) -> "Event | None":
        """Load an event that the caller may see; a draft is seen by those who run events."""
        row = await info.context.loads.event.load((event_id,))
        hidden = row is None or (row.status == EventStatus.DRAFT and not info.context.runs_events)
        return None if hidden or row is None else cls.of(row)

    @classmethod
    async def at(cls, info: Info, event_id: UUID) -> "Event":
        row = await info.context.loads.event.load((event_id,))
        assert row is not None, "what belongs to an event has it"
        return cls.of(row)

    @strawberry.field(description="The house that it takes place in.")
    async def venue(self, info: Info) -> venues.Venue:
        return await (await self._hall(info)).venue(info)

    @strawberry.field(description="The hall that it takes place in.")
    async def hall(self, info: Info) -> venues.Hall:
        return await self._hall(info)

    async def _hall(self, info: Info) -> venues.Hall:
        row = await info.context.loads.hall.load((self.row.hall_id,))
        assert row is not None, "an event's hall is there"
        return venues.Hall.of(row)

    @strawberry.field(description="What seats cost.")
    async def pricing_tiers(self, info: Info) -> list[later.PricingTier]:
        found = await info.context.loads.tiers_of_event.load((self.row.id,))
        return [tiers.PricingTier.of(row) for row in found]

    @strawberry.field(description="How many seats and places can be had now.")
    async def available_seats(self, info: Info) -> int:
        counted = await info.context.loads.availability.load(self.row.id)
        return sum(record["available"] for record in counted)

    @strawberry.field(description="Its seats, by their index.")
    async def seats(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[SeatFilter | None, strawberry.argument(description="Only these seats.")] = None,
    ) -> Connection[later.Seat]:
        page = PageArguments(first, after, last, before)
        listing = seats_listing(self.row.id, filter or SeatFilter())
        return await connect(info, listing, seats.Seat.of, page, self.row.id)

    @strawberry.field(description="The whole house: its plan, and one letter a seat.")
    async def seat_map(self) -> maps.SeatMap:
        return maps.SeatMap(event=self.row)


@strawberry.type(description="The event as it is now.")
class EventPayload:
    event: Event = strawberry.field(description="The event.")


EventResult = Annotated[
    EventPayload | Refusal, strawberry.union("EventResult", description="The event, or why not.")
]
