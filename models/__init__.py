"""What is true: tables, enums, constraints, and pure questions about a row."""

from sqlalchemy import DDL, event
from sqlmodel import SQLModel

from models.announcements import Announcement
from models.carts import Cart, CartItem
from models.catalogue import Cancellation, Event, Hall, Plan, Venue
from models.codes import Code
from models.deliveries import Delivery, Mail
from models.door import Scan
from models.idempotency import IdempotencyKey
from models.identities import Identity
from models.ledger import Account, Movement
from models.notifications import Notification, NotificationPreference
from models.orders import Buyer, Order, OrderItem
from models.payments import Payment, SimulatedPayment
from models.seats import Seat, SeatChange, Stream, Tier
from models.service_clients import ServiceClient
from models.sessions import Session
from models.tickets import DeletedTicket, Ticket
from models.transfers import Transfer
from models.users import User
from models.webhook_endpoints import WebhookEndpoint

__all__ = [
    "Account",
    "Announcement",
    "Buyer",
    "Cancellation",
    "Cart",
    "CartItem",
    "Code",
    "DeletedTicket",
    "Delivery",
    "Event",
    "Hall",
    "IdempotencyKey",
    "Identity",
    "Mail",
    "Movement",
    "Notification",
    "NotificationPreference",
    "Order",
    "OrderItem",
    "Payment",
    "Plan",
    "SQLModel",
    "Scan",
    "Seat",
    "SeatChange",
    "ServiceClient",
    "Session",
    "SimulatedPayment",
    "Stream",
    "Ticket",
    "Tier",
    "Transfer",
    "User",
    "Venue",
    "WebhookEndpoint",
]

event.listen(
    SQLModel.metadata,
    "before_create",
    DDL("CREATE TYPE uuidrange AS RANGE (subtype = uuid)"),  # type: ignore[no-untyped-call]
)
