"""Everything that an operation can load, a typed line for each."""

from datetime import datetime
from functools import cached_property
from uuid import UUID

from asyncpg import Record
from strawberry.dataloader import DataLoader

from database import Database
from dataloaders.load import (
    Key,
    Source,
    load_many,
    load_one,
    load_records,
    load_since,
    load_together,
    load_value,
)
from dataloaders.pages import Pages
from models.catalogue import EVENTS_NOW, Event, Hall, Venue
from models.deliveries import Delivery
from models.door import STANDING_ADMISSION, Scan
from models.ledger import Account
from models.notifications import Notification, NotificationPreference
from models.orders import ORDERS_NOW, Buyer, Order, OrderItem
from models.seats import SEATS_NOW, Seat, Tier, is_free
from models.sessions import OPEN_SESSION, Session
from models.tickets import LIVE_TICKET, Ticket
from models.transactions import TRANSACTIONS_NOW, Transaction
from models.transfers import (
    PARTYS_TRANSFERS_NOW,
    TICKET_HISTORY,
    TRANSFERS_NOW,
    PartysTransfer,
    TicketEvent,
    Transfer,
)
from models.users import User
from models.webhook_endpoints import WebhookEndpoint
from steps.carts import CartNow, carts_now

VENUES = Source(Venue, "venues")
HALLS = Source(Hall, "halls")
EVENTS = Source(Event, EVENTS_NOW)
TIERS = Source(Tier, "tiers")
SEATS = Source(Seat, SEATS_NOW, without=("version", "order_id", "held_until"))
ORDERS = Source(Order, ORDERS_NOW)
BUYERS = Source(
    Buyer, "(SELECT DISTINCT event_id, buyer_id AS user_id FROM orders)", without=("last_order_at",)
)
ORDER_ITEMS = Source(OrderItem, "order_items")
TICKETS = Source(Ticket, "tickets")
LIVE_TICKETS = Source(Ticket, f"(SELECT * FROM tickets WHERE {LIVE_TICKET})")
SCANS = Source(Scan, "scans")
STANDING_ADMISSIONS = Source(Scan, f"(SELECT * FROM scans WHERE {STANDING_ADMISSION})")
USERS = Source(User, "users")
ENDPOINTS = Source(WebhookEndpoint, "webhook_endpoints", without=("secret", "old_secret"))
OPEN_SESSIONS = Source(Session, f"(SELECT * FROM sessions WHERE {OPEN_SESSION})")
ACCOUNTS = Source(Account, "accounts")
TRANSFERS = Source(Transfer, TRANSFERS_NOW)
PENDING_TRANSFERS = Source(Transfer, f"(SELECT * FROM {TRANSFERS_NOW} AS t WHERE status = 'PENDING_OTP')")
STANDING_TRANSFERS = Source(
    Transfer, f"(SELECT * FROM {TRANSFERS_NOW} AS t WHERE status IN ('PENDING_OTP', 'COMPLETED', 'DISPUTED'))"
)
PARTYS_TRANSFERS = Source(PartysTransfer, PARTYS_TRANSFERS_NOW)
TICKET_EVENTS = Source(TicketEvent, TICKET_HISTORY)
TRANSACTIONS = Source(Transaction, TRANSACTIONS_NOW)
NOTIFICATIONS = Source(Notification, "notifications", without=("told_at",))
NOTIFICATION_PREFERENCES = Source(NotificationPreference, "notification_preferences")
DEAD_LETTERS = Source(
    Delivery,
    "(SELECT * FROM deliveries WHERE state = 'DEAD')",
    without=("sealed", "state", "expires_at", "queue_id", "lane"),
)

NOTIFICATIONS_AT_ONCE_MAX = 1_000
ORDERS_AT_AN_EVENT_MAX = 100

AVAILABILITY = f"""
    SELECT event_id, tier, count(*) FILTER (WHERE {is_free("seats")})::int AS available
    FROM seats WHERE event_id = ANY($1::uuid[]) GROUP BY event_id, tier"""

MOMENTS = f"""
    SELECT wanted.id, (SELECT revision FROM streams AS s WHERE s.event_id = wanted.id) AS revision,
        coalesce((SELECT string_agg(s.status, '' ORDER BY s.index) FROM {SEATS_NOW} AS s
                  WHERE s.event_id = wanted.id), '') AS statuses
    FROM unnest($1::uuid[]) AS wanted (id)"""
"""Seat maps, each with the revision of the same moment: it has every change that is numbered by then."""

SECTIONS = """
    SELECT event_id, section, count(*)::int AS seats
    FROM (SELECT event_id, section, index, index - row_number() OVER (
              PARTITION BY event_id, section ORDER BY index) AS stretch
          FROM seats WHERE event_id = ANY($1::uuid[])) AS s
    GROUP BY event_id, section, stretch ORDER BY event_id, min(index)"""
"""The sections of events as their seats' indexes run through them, each with how many seats follow."""

PEOPLE = """
    SELECT wanted.email, u.id FROM unnest($1::text[]) AS wanted (email)
    JOIN users AS u ON lower(u.email) = lower(wanted.email)"""

UNREAD_NOTIFICATIONS = """
    SELECT user_id, count(*)::int AS unread FROM notifications
    WHERE user_id = ANY($1::uuid[]) AND read_at IS NULL GROUP BY user_id"""


class Loads:
    """The loaders of one operation; each is made when it is first asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @cached_property
    def pages(self) -> Pages:
        return Pages(self._database)

    @cached_property
    def venue(self) -> DataLoader[Key, Venue | None]:
        return load_one(self._database, VENUES, id="uuid")

    @cached_property
    def hall(self) -> DataLoader[Key, Hall | None]:
        return load_one(self._database, HALLS, id="uuid")

    @cached_property
    def halls_of_venue(self) -> DataLoader[Key, list[Hall]]:
        return load_many(self._database, HALLS, "r.code, r.id", venue_id="uuid")

    @cached_property
    def event(self) -> DataLoader[Key, Event | None]:
        return load_one(self._database, EVENTS, id="uuid")

    @cached_property
    def tier(self) -> DataLoader[Key, Tier | None]:
        return load_one(self._database, TIERS, event_id="uuid", number="int")

    @cached_property
    def tiers_of_event(self) -> DataLoader[Key, list[Tier]]:
        return load_many(self._database, TIERS, "r.number", event_id="uuid")

    @cached_property
    def seat(self) -> DataLoader[Key, Seat | None]:
        return load_one(self._database, SEATS, event_id="uuid", index="int")

    @cached_property
    def order(self) -> DataLoader[Key, Order | None]:
        return load_one(self._database, ORDERS, event_id="uuid", id="uuid")

    @cached_property
    def orders_of_buyer(self) -> DataLoader[Key, list[Order]]:
        """The newest orders of a buyer at an event."""
        return load_many(
            self._database,
            ORDERS,
            "r.id DESC",
            most=ORDERS_AT_AN_EVENT_MAX,
            event_id="uuid",
            buyer_id="uuid",
        )

    @cached_property
    def items_of_order(self) -> DataLoader[Key, list[OrderItem]]:
        return load_many(self._database, ORDER_ITEMS, "r.index", event_id="uuid", order_id="uuid")

    @cached_property
    def ticket(self) -> DataLoader[Key, Ticket | None]:
        return load_one(self._database, TICKETS, event_id="uuid", id="uuid")

    @cached_property
    def tickets_of_order(self) -> DataLoader[Key, list[Ticket]]:
        return load_many(self._database, TICKETS, "r.index, r.id", event_id="uuid", order_id="uuid")

    @cached_property
    def live_ticket_of_seat(self) -> DataLoader[Key, Ticket | None]:
        return load_one(self._database, LIVE_TICKETS, event_id="uuid", index="int")

    @cached_property
    def scan(self) -> DataLoader[Key, Scan | None]:
        return load_one(self._database, SCANS, event_id="uuid", id="uuid")

    @cached_property
    def admission(self) -> DataLoader[Key, Scan | None]:
        """The scan that let a ticket in, by the event's id and the ticket's."""
        return load_one(self._database, STANDING_ADMISSIONS, event_id="uuid", ticket_id="uuid")

    @cached_property
    def transfer(self) -> DataLoader[Key, Transfer | None]:
        return load_one(self._database, TRANSFERS, event_id="uuid", id="uuid")

    @cached_property
    def pending_transfer_of_ticket(self) -> DataLoader[Key, Transfer | None]:
        return load_one(self._database, PENDING_TRANSFERS, event_id="uuid", ticket_id="uuid")

    @cached_property
    def standing_transfers_of_ticket(self) -> DataLoader[Key, list[Transfer]]:
        """The transfers of a ticket that wait for codes, or by which it changed hands."""
        return load_many(self._database, STANDING_TRANSFERS, "r.id", event_id="uuid", ticket_id="uuid")

    @cached_property
    def history_of_ticket(self) -> DataLoader[Key, list[TicketEvent]]:
        return load_many(self._database, TICKET_EVENTS, "r.at", event_id="uuid", ticket_id="uuid")

    @cached_property
    def user(self) -> DataLoader[Key, User | None]:
        return load_one(self._database, USERS, id="uuid")

    @cached_property
    def people(self) -> DataLoader[str, list[Record]]:
        """The people with an e-mail address, in whatever case it is given."""
        return load_records(self._database, PEOPLE)

    @cached_property
    def open_session(self) -> DataLoader[Key, Session | None]:
        return load_one(self._database, OPEN_SESSIONS, user_id="uuid", id="uuid")

    @cached_property
    def endpoint(self) -> DataLoader[Key, WebhookEndpoint | None]:
        return load_one(self._database, ENDPOINTS, id="uuid")

    @cached_property
    def open_sessions_of_user(self) -> DataLoader[Key, list[Session]]:
        return load_many(self._database, OPEN_SESSIONS, "r.last_used_at DESC, r.id DESC", user_id="uuid")

    @cached_property
    def cart(self) -> DataLoader[UUID, CartNow]:
        """The cart of a person, by their id."""
        return load_together(self._database, carts_now)

    @cached_property
    def account(self) -> DataLoader[Key, Account | None]:
        return load_one(self._database, ACCOUNTS, user_id="uuid", currency="text")

    @cached_property
    def transaction(self) -> DataLoader[Key, Transaction | None]:
        return load_one(self._database, TRANSACTIONS, user_id="uuid", id="uuid")

    @cached_property
    def transactions_of_order(self) -> DataLoader[Key, list[Transaction]]:
        """What a buyer paid and got back for an order, by the buyer's id and the order's."""
        return load_many(
            self._database, TRANSACTIONS, "r.id", user_id="uuid", event_id="uuid", reference="uuid"
        )

    @cached_property
    def notification(self) -> DataLoader[Key, Notification | None]:
        return load_one(self._database, NOTIFICATIONS, user_id="uuid", id="uuid")

    @cached_property
    def notifications_since(self) -> DataLoader[tuple[UUID, UUID], list[Notification]]:
        """The notifications of a person from an id on, by the person's id and that."""
        return load_since(self._database, NOTIFICATIONS, "user_id", NOTIFICATIONS_AT_ONCE_MAX)

    @cached_property
    def unread_notifications(self) -> DataLoader[UUID, list[Record]]:
        return load_records(self._database, UNREAD_NOTIFICATIONS)

    @cached_property
    def notification_preferences_of_user(self) -> DataLoader[Key, list[NotificationPreference]]:
        return load_many(self._database, NOTIFICATION_PREFERENCES, "r.kind, r.channel", user_id="uuid")

    @cached_property
    def dead_letter(self) -> DataLoader[Key, Delivery | None]:
        return load_one(self._database, DEAD_LETTERS, owner_id="uuid", id="uuid")

    @cached_property
    def availability(self) -> DataLoader[UUID, list[Record]]:
        return load_records(self._database, AVAILABILITY)

    @cached_property
    def moment(self) -> DataLoader[UUID, list[Record]]:
        return load_records(self._database, MOMENTS)

    @cached_property
    def sections(self) -> DataLoader[UUID, list[Record]]:
        return load_records(self._database, SECTIONS)

    @cached_property
    def now(self) -> DataLoader[Key, datetime]:
        """The database's clock."""
        return load_value(self._database, "SELECT statement_timestamp()")
