"""Live seat maps."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from schema import ids
from schema.context import Info
from schema.enums import EventStatus
from schema.errors import not_found
from schema.live import SeatStatusUpdate, update_of


@strawberry.type
class SeatSubscriptions:
    @strawberry.subscription(
        description="What a published event's seats are: a snapshot, then every change, without a hole."
    )
    async def seat_status(
        self,
        info: Info,
        event_id: Annotated[strawberry.ID, strawberry.argument(description="The event.")],
        after: Annotated[
            int | None,
            strawberry.argument(
                description="The revision that a returning client has; it gets what came since."
            ),
        ] = None,
    ) -> AsyncGenerator[SeatStatusUpdate, None]:
        event = ids.read_event(event_id)
        row = await info.context.loads.event.load((event,))
        if row is None or row.status == EventStatus.DRAFT:
            raise not_found("event")
        async with info.context.house.hub.watch(event, after) as updates:
            async for update in updates:
                yield update_of(event, update)
