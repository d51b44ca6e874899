"""A person's orders, together for each event."""

from uuid import UUID

import strawberry

from dataloaders.loads import BUYERS
from dataloaders.pages import Listing, Sort
from models.orders import Buyer
from schema import events, later, orders
from schema.context import Info

ORDERS_BY_EVENT: Listing[Buyer] = Listing(
    BUYERS, (Sort("event_id", "uuid", UUID),), descending=True, parent=("user_id", "uuid")
)


@strawberry.type(description="An event, and what a person ordered at it.")
class EventOrders:
    row: strawberry.Private[Buyer]

    @classmethod
    def of(cls, row: Buyer) -> "EventOrders":
        return cls(row=row)

    @strawberry.field(description="The event.")
    async def event(self, info: Info) -> later.Event:
        return await events.Event.at(info, self.row.event_id)

    @strawberry.field(description="The orders, the newest first; at most 100.")
    async def orders(self, info: Info) -> list[later.Order]:
        found = await info.context.loads.orders_of_buyer.load((self.row.event_id, self.row.user_id))
        return [orders.Order.of(row) for row in found]
