"""The types that speak of each other, by name: each is looked up when the schema is whole."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from schema.carts import Cart
    from schema.events import Event
    from schema.notifications import Notification, NotificationPreference
    from schema.orders import Order
    from schema.seats import Seat
    from schema.sessions import Session
    from schema.tickets import Ticket
    from schema.tiers import PricingTier
    from schema.transactions import Transaction
    from schema.transfers import Transfer
    from schema.users import Person, User
else:
    Cart = Annotated["Cart", strawberry.lazy("schema.carts")]
    Event = Annotated["Event", strawberry.lazy("schema.events")]
    Notification = Annotated["Notification", strawberry.lazy("schema.notifications")]
    NotificationPreference = Annotated["NotificationPreference", strawberry.lazy("schema.notifications")]
    Order = Annotated["Order", strawberry.lazy("schema.orders")]
    Seat = Annotated["Seat", strawberry.lazy("schema.seats")]
    Session = Annotated["Session", strawberry.lazy("schema.sessions")]
    Ticket = Annotated["Ticket", strawberry.lazy("schema.tickets")]
    PricingTier = Annotated["PricingTier", strawberry.lazy("schema.tiers")]
    Transaction = Annotated["Transaction", strawberry.lazy("schema.transactions")]
    Transfer = Annotated["Transfer", strawberry.lazy("schema.transfers")]
    Person = Annotated["Person", strawberry.lazy("schema.users")]
    User = Annotated["User", strawberry.lazy("schema.users")]

__all__ = [
    "Cart",
    "Event",
    "Notification",
    "NotificationPreference",
    "Order",
    "Person",
    "PricingTier",
    "Seat",
    "Session",
    "Ticket",
    "Transaction",
    "Transfer",
    "User",
]
