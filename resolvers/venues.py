"""Venues and halls: finding them, and putting them on record."""

from typing import Annotated

import strawberry

from dataloaders.loads import VENUES
from dataloaders.pages import BY_ID, Listing, PageArguments, by_text
from schema import ids
from schema.context import Info
from schema.pages import After, Before, Connection, First, Last, connect
from schema.venues import (
    CreateHallInput,
    CreateVenueInput,
    Hall,
    HallPayload,
    HallResult,
    Venue,
    VenuePayload,
    VenueResult,
)
from schema.words import prefix_query
from steps.create_catalogue import create_hall, create_venue

_MATCHES = "to_tsvector('simple', r.name || ' ' || r.address) @@ to_tsquery('simple', {})"


@strawberry.type
class VenueQueries:
    @strawberry.field(description="Venues, by their name.")
    async def venues(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        search: Annotated[
            str | None, strawberry.argument(description="Words in name and address, in any order.")
        ] = None,
    ) -> Connection[Venue]:
        where = ((_MATCHES, prefix_query(search)),) if search else ()
        listing = Listing(VENUES, (by_text("name"), BY_ID), where=where)
        return await connect(info, listing, Venue.of, PageArguments(first, after, last, before))


@strawberry.type
class VenueMutations:
    @strawberry.mutation(description="Put a venue on record. OPERATOR, ADMIN.")
    async def create_venue(
        self, info: Info, input: Annotated[CreateVenueInput, strawberry.argument(description="The venue.")]
    ) -> VenueResult:
        info.context.require_operator()
        venue = await info.context.transact(create_venue, name=input.name, address=input.address)
        return VenuePayload(venue=Venue.of(venue))

    @strawberry.mutation(description="Put a hall of a venue on record. OPERATOR, ADMIN.")
    async def create_hall(
        self, info: Info, input: Annotated[CreateHallInput, strawberry.argument(description="The hall.")]
    ) -> HallResult:
        info.context.require_operator()
        venue_id = ids.read_venue(input.venue_id)
        hall = await info.context.transact(create_hall, venue_id=venue_id, code=input.code, name=input.name)
        return HallPayload(hall=Hall.of(hall))
