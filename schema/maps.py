"""The map of a whole house: a plan that never changes once the event is published, and a letter a seat."""

import asyncio
from functools import partial
from uuid import UUID

import strawberry
from asyncpg import Record

from models import catalogue as rows
from models.layouts import Area, Layout, Place, Section
from schema import ids
from schema.context import Info


@strawberry.type(description="A numbered seat on the plan.")
class PlannedSeat:
    index: int = strawberry.field(description="Its place in the event.")
    number: str = strawberry.field(description="Its number in the row.")
    x: float = strawberry.field(description="From the left, in the plan's units.")
    y: float = strawberry.field(description="From the top, in the plan's units.")
    tier_id: strawberry.ID = strawberry.field(description="The price tier that it belongs to.")
    seat_id: strawberry.ID = strawberry.field(description="The seat.")


@strawberry.type(description="Seats side by side.")
class SeatRow:
    label: str = strawberry.field(description="What the row is called.")
    seats: list[PlannedSeat] = strawberry.field(description="Its seats, in order.")


@strawberry.type(description="A part of the house.")
class SeatSection:
    name: str = strawberry.field(description="What it is called.")
    rows: list[SeatRow] = strawberry.field(description="Its rows, in the order of the plan.")


@strawberry.type(description="General admission, or what is only drawn: a stage, a bar.")
class PlanArea:
    name: str = strawberry.field(description="What it is called.")
    x: float = strawberry.field(description="Its left edge.")
    y: float = strawberry.field(description="Its upper edge.")
    width: float = strawberry.field(description="Its width.")
    height: float = strawberry.field(description="Its height.")
    tier_id: strawberry.ID | None = strawberry.field(description="Its price tier; null: it is only drawn.")
    first_index: int | None = strawberry.field(description="Its places are the indexes from here.")
    places: int = strawberry.field(description="How many places it has.")


@strawberry.type(description="How the house looks; it never changes once the event is published.")
class SeatPlan:
    width: float = strawberry.field(description="The width of the drawing.")
    height: float = strawberry.field(description="The height of the drawing.")
    sections: list[SeatSection] = strawberry.field(description="The parts of the house with numbered seats.")
    areas: list[PlanArea] = strawberry.field(description="General admission, and what is only drawn.")

    @classmethod
    def of(cls, event_id: UUID, layout: Layout) -> "SeatPlan":
        tiers = [ids.tier_id(event_id, number) for number in range(len(layout.colors))]
        return cls(
            width=layout.width,
            height=layout.height,
            sections=[_section(event_id, tiers, section) for section in layout.sections],
            areas=[_area(tiers, area) for area in layout.areas],
        )


def _section(event_id: UUID, tiers: list[strawberry.ID], section: Section) -> SeatSection:
    seat = partial(_seat, event_id, tiers)
    return SeatSection(
        name=section.name,
        rows=[SeatRow(label=row.label, seats=[seat(place) for place in row.seats]) for row in section.rows],
    )


def _seat(event_id: UUID, tiers: list[strawberry.ID], place: Place) -> PlannedSeat:
    return PlannedSeat(
        index=place.index,
        number=place.number,
        x=place.x,
        y=place.y,
        tier_id=tiers[place.tier],
        seat_id=ids.seat_id(event_id, place.index),
    )


def _area(tiers: list[strawberry.ID], area: Area) -> PlanArea:
    return PlanArea(
        name=area.name,
        x=area.x,
        y=area.y,
        width=area.width,
        height=area.height,
        tier_id=None if area.tier is None else tiers[area.tier],
        first_index=area.first_index,
        places=area.places,
    )


@strawberry.type(description="The whole house at a moment: its plan, and one letter a seat.")
class SeatMap:
    event: strawberry.Private[rows.Event]
    moment: strawberry.Private["asyncio.Task[Record] | None"] = None

    async def _read(self, info: Info) -> Record:
        """Read the moment once for both of its fields."""
        if self.moment is None:
            self.moment = asyncio.ensure_future(_moment(info, self.event.id))
        return await self.moment

    @strawberry.field(
        description="Of the statuses; grows with every change, by the same count as the live updates."
    )
    async def revision(self, info: Info) -> int:
        return (await self._read(info))["revision"]

    @strawberry.field(
        description="One letter a seat by index: A available, H held, S sold, C checked in, B blocked."
    )
    async def statuses(self, info: Info) -> str:
        return (await self._read(info))["statuses"]

    @strawberry.field(description="Where every seat is.")
    async def plan(self, info: Info) -> SeatPlan:
        is_final = self.event.status != rows.EventStatus.DRAFT
        return await info.context.house.plans.plan(SeatPlan.of, self.event.id, is_final=is_final)


async def _moment(info: Info, event_id: UUID) -> Record:
    return (await info.context.loads.moment.load(event_id))[0]
