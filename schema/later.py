"""The types that speak of each other, by name: each is looked up when the schema is whole."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from schema.events import Event
    from schema.orders import Order
    from schema.seats import Seat
    from schema.tickets import Ticket
    from schema.tiers import PricingTier
    from schema.users import Person
else:
    Event = Annotated["Event", strawberry.lazy("schema.events")]
    Order = Annotated["Order", strawberry.lazy("schema.orders")]
    Seat = Annotated["Seat", strawberry.lazy("schema.seats")]
    Ticket = Annotated["Ticket", strawberry.lazy("schema.tickets")]
    PricingTier = Annotated["PricingTier", strawberry.lazy("schema.tiers")]
    Person = Annotated["Person", strawberry.lazy("schema.users")]

__all__ = ["Event", "Order", "Person", "PricingTier", "Seat", "Ticket"]
