"""Anything by its id: the same tests of ownership as the field that a user would go through."""

import asyncio
from typing import Annotated

import strawberry

from schema import ids
from schema.carts import Cart, CartItem
from schema.context import Info
from schema.deliveries import DeadLetter
from schema.door import EntryLogEntry
from schema.errors import wrong_argument
from schema.events import Event
from schema.nodes import Node
from schema.notifications import Notification
from schema.orders import Order
from schema.seats import Seat
from schema.sessions import Session
from schema.tickets import Ticket
from schema.tiers import PricingTier
from schema.transactions import Transaction
from schema.transfers import Transfer
from schema.users import User
from schema.venues import Hall, Venue
from schema.webhook_endpoints import WebhookEndpoint

IDS_MAX = 100

_FINDERS = {
    "ev": Event.find,
    "ve": Venue.find,
    "ha": Hall.find,
    "us": User.find,
    "ti": PricingTier.find,
    "se": Seat.find,
    "or": Order.find,
    "tk": Ticket.find,
    "tr": Transfer.find,
    "ss": Session.find,
    "tx": Transaction.find,
    "ca": Cart.find,
    "ci": CartItem.find,
    "no": Notification.find,
    "en": EntryLogEntry.find,
    "we": WebhookEndpoint.find,
    "dl": DeadLetter.find,
}


@strawberry.type
class NodeQueries:
    @strawberry.field(description="A thing by its id; null when there is none that the caller may see.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Node | None:
        return await _find(info, id)

    @strawberry.field(description="Up to 100 things by their ids, in the order of the ids.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Their ids.")],
    ) -> list[Node | None]:
        if len(ids) > IDS_MAX:
            raise wrong_argument(f"Ask for at most {IDS_MAX} things at once.")
        return await asyncio.gather(*(_find(info, id) for id in ids))


async def _find(info: Info, id: str) -> Node | None:
    return await _FINDERS[ids.kind_of(id)](info, id)
