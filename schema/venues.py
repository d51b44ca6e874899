"""Venues and their halls."""

from typing import Annotated

import strawberry

from models import catalogue as rows
from schema import ids
from schema.context import Info
from schema.nodes import Node
from schema.refusals import Refusal


@strawberry.type(description="A house with an address.")
class Venue(Node):
    name: str = strawberry.field(description="What it is called.")
    address: str = strawberry.field(description="Where it is.")
    row: strawberry.Private[rows.Venue]

    @classmethod
    def of(cls, row: rows.Venue) -> "Venue":
        return cls(id=ids.venue_id(row.id), name=row.name, address=row.address, row=row)

    @classmethod
    async def find(cls, info: Info, id: str) -> "Venue | None":
        row = await info.context.loads.venue.load((ids.read_venue(id),))
        return cls.of(row) if row else None

    @strawberry.field(description="Its halls, by their code.")
    async def halls(self, info: Info) -> list["Hall"]:
        return [Hall.of(row) for row in await info.context.loads.halls_of_venue.load((self.row.id,))]


@strawberry.type(description="A room of a venue.")
class Hall(Node):
    code: str = strawberry.field(description='What a door scanner is set to, as "HALL-A".')
    name: str = strawberry.field(description="What it is called.")
    row: strawberry.Private[rows.Hall]

    @classmethod
    def of(cls, row: rows.Hall) -> "Hall":
        return cls(id=ids.hall_id(row.id), code=row.code, name=row.name, row=row)

    @classmethod
    async def find(cls, info: Info, id: str) -> "Hall | None":
        row = await info.context.loads.hall.load((ids.read_hall(id),))
        return cls.of(row) if row else None

    @strawberry.field(description="The house that it is in.")
    async def venue(self, info: Info) -> Venue:
        row = await info.context.loads.venue.load((self.row.venue_id,))
        assert row is not None, "a hall's venue is there"
        return Venue.of(row)


@strawberry.input(description="A venue to put on record.")
class CreateVenueInput:
    name: str = strawberry.field(description="What it is called.")
    address: str = strawberry.field(description="Where it is.")


@strawberry.input(description="A hall of a venue to put on record.")
class CreateHallInput:
    venue_id: strawberry.ID = strawberry.field(description="The house that it is in.")
    code: str = strawberry.field(description="What a door scanner is set to; unique in the venue.")
    name: str = strawberry.field(description="What it is called.")


@strawberry.type(description="The venue that was put on record.")
class VenuePayload:
    venue: Venue = strawberry.field(description="The venue.")


@strawberry.type(description="The hall that was put on record.")
class HallPayload:
    hall: Hall = strawberry.field(description="The hall.")


VenueResult = Annotated[
    VenuePayload | Refusal, strawberry.union("VenueResult", description="The venue, or why not.")
]
HallResult = Annotated[
    HallPayload | Refusal, strawberry.union("HallResult", description="The hall, or why not.")
]
