"""Which of them: the filters of lists, and the listings that they make."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from dataloaders.load import Source
from dataloaders.loads import (
    EVENTS,
    ORDERS,
    PARTYS_TRANSFERS,
    SCANS,
    SEATS,
    TICKETS,
    TRANSACTIONS,
    TRANSFERS,
)
from dataloaders.pages import BY_ID, BY_INDEX, Listing, by_moment
from models.catalogue import Event
from models.door import Scan
from models.orders import Order
from models.seats import Seat
from models.tickets import Ticket
from models.transactions import Transaction
from models.transfers import Transfer
from schema import ids
from schema.context import Info
from schema.enums import (
    EventStatus,
    MovementKind,
    OrderStatus,
    SeatStatus,
    TicketStatus,
    TransactionStatus,
    TransferStatus,
    VerificationResult,
)
from schema.words import prefix_query

_IN_VENUE = "r.hall_id IN (SELECT id FROM halls WHERE venue_id = {})"
_WITH_SEAT = """EXISTS (
    SELECT FROM order_items i WHERE i.event_id = r.event_id AND i.order_id = r.id AND i.index = {})"""
_OF_AN_EVENT_TO_COME = """EXISTS (
    SELECT FROM events e WHERE e.id = r.event_id AND (e.ends_at > statement_timestamp()) = {})"""
_OF_EITHER = "(r.seller_id = {0} OR r.buyer_id = {0})"

Where = list[tuple[str, object]]


@strawberry.input(description="Which events.")
class EventFilter:
    search: str | None = strawberry.field(
        default=None, description="Words in name, description, venue and category, in any order."
    )
    category: str | None = strawberry.field(default=None, description="Of this category.")
    venue_id: strawberry.ID | None = strawberry.field(default=None, description="In this house.")
    status: list[EventStatus] | None = strawberry.field(default=None, description="In one of these states.")
    starts_after: datetime | None = strawberry.field(
        default=None,
        description="Starting after this; by default what is to come, unless a status is named.",
    )
    starts_before: datetime | None = strawberry.field(default=None, description="Starting before this.")


def events_listing(info: Info, wanted: EventFilter) -> Listing[Event]:
    """The events that a filter asks for and the caller may see, by their start."""
    where: Where = []
    if not info.context.runs_events:
        where.append(("r.status <> {}", EventStatus.DRAFT.value))
    if wanted.search:
        where.append(("r.search @@ to_tsquery('simple', {})", prefix_query(wanted.search)))
    if wanted.category is not None:
        where.append(("r.category = {}", wanted.category))
    if wanted.venue_id is not None:
        where.append((_IN_VENUE, ids.read_venue(wanted.venue_id)))
    if wanted.status is not None:
        where.append(("r.status = ANY({}::text[])", tuple(status.value for status in wanted.status)))
    if wanted.starts_after is not None:
        where.append(("r.starts_at > {}", wanted.starts_after))
    elif wanted.status is None:
        where.append(("{}::bool AND r.starts_at > statement_timestamp()", True))
    if wanted.starts_before is not None:
        where.append(("r.starts_at < {}", wanted.starts_before))
    return Listing(EVENTS, (by_moment("starts_at"), BY_ID), where=tuple(where))


@strawberry.input(description="Which seats of an event.")
class SeatFilter:
    tier_id: strawberry.ID | None = strawberry.field(default=None, description="Of this price tier.")
    section: str | None = strawberry.field(default=None, description="In this section.")
    status: SeatStatus | None = strawberry.field(default=None, description="Those that are this now.")


def seats_listing(event_id: UUID, wanted: SeatFilter) -> Listing[Seat]:
    """The seats of an event that a filter asks for, by their index."""
    where: Where = []
    if wanted.tier_id is not None:
        tier_event, number = ids.read_tier(wanted.tier_id)
        where.append(("r.tier = {}", number if tier_event == event_id else -1))
    if wanted.section is not None:
        where.append(("r.section = {}", wanted.section))
    if wanted.status is not None:
        where.append(("r.status = {}", wanted.status.value))
    return Listing(SEATS, (BY_INDEX,), parent=("event_id", "uuid"), where=tuple(where))


@strawberry.input(description="Which orders.")
class OrderFilter:
    event_id: strawberry.ID | None = strawberry.field(default=None, description="For this event.")
    user_id: strawberry.ID | None = strawberry.field(default=None, description="Made by this person.")
    seat_id: strawberry.ID | None = strawberry.field(default=None, description="With this seat in it.")
    status: list[OrderStatus] | None = strawberry.field(default=None, description="In one of these states.")
    search: str | None = strawberry.field(
        default=None, description="By reference or the buyer's e-mail address; for OPERATOR and ADMIN."
    )


async def orders_listing(
    info: Info, wanted: OrderFilter, parent: tuple[str, str] | None = None
) -> Listing[Order]:
    """The orders that a filter asks for, the newest first."""
    where: Where = []
    if wanted.event_id is not None:
        where.append(("r.event_id = {}", ids.read_event(wanted.event_id)))
    if wanted.user_id is not None:
        where.append(("r.buyer_id = {}", ids.read_user(wanted.user_id)))
    if wanted.seat_id is not None:
        event_id, index = ids.read_seat(wanted.seat_id)
        where += [("r.event_id = {}", event_id), (_WITH_SEAT, index)]
    if wanted.status is not None:
        where.append(("r.status = ANY({}::text[])", tuple(status.value for status in wanted.status)))
    if wanted.search is not None:
        info.context.require_operator()
        where.append(await _matching(info, wanted.search.strip()))
    return Listing(ORDERS, (BY_ID,), descending=True, parent=parent, where=tuple(where))


async def _matching(info: Info, search: str) -> tuple[str, object]:
    """A reference, or an e-mail address, which is looked up among the people first."""
    if "@" not in search:
        return ("r.reference = {}", search.upper())
    people = await info.context.loads.people.load(search)
    return ("r.buyer_id = ANY({}::uuid[])", tuple(person["id"] for person in people))


@strawberry.input(description="Which tickets.")
class TicketFilter:
    event_id: strawberry.ID | None = strawberry.field(default=None, description="For this event.")
    user_id: strawberry.ID | None = strawberry.field(default=None, description="Owned by this person.")
    seat_id: strawberry.ID | None = strawberry.field(default=None, description="For this seat.")
    status: list[TicketStatus] | None = strawberry.field(default=None, description="In one of these states.")
    upcoming: bool | None = strawberry.field(
        default=None, description="True: of events that are not over; false: of those that are."
    )


def tickets_listing(wanted: TicketFilter, parent: tuple[str, str] | None = None) -> Listing[Ticket]:
    """The tickets that a filter asks for, the newest first."""
    where: Where = []
    if wanted.event_id is not None:
        where.append(("r.event_id = {}", ids.read_event(wanted.event_id)))
    if wanted.user_id is not None:
        where.append(("r.owner_id = {}", ids.read_user(wanted.user_id)))
    if wanted.seat_id is not None:
        event_id, index = ids.read_seat(wanted.seat_id)
        where += [("r.event_id = {}", event_id), ("r.index = {}", index)]
    if wanted.status is not None:
        where.append(("r.status = ANY({}::text[])", tuple(status.value for status in wanted.status)))
    if wanted.upcoming is not None:
        where.append((_OF_AN_EVENT_TO_COME, wanted.upcoming))
    return Listing(TICKETS, (BY_ID,), descending=True, parent=parent, where=tuple(where))


@strawberry.input(description="Which transfers.")
class TransferFilter:
    event_id: strawberry.ID | None = strawberry.field(default=None, description="For this event.")
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="From this person, or to them."
    )
    status: list[TransferStatus] | None = strawberry.field(
        default=None, description="In one of these states."
    )


def transfers_listing(wanted: TransferFilter, *, of_party: bool) -> Listing[Transfer]:
    """The transfers that a filter asks for, the newest first: of one of the two, or all."""
    where: Where = []
    if wanted.event_id is not None:
        where.append(("r.event_id = {}", ids.read_event(wanted.event_id)))
    if wanted.user_id is not None:
        where.append((_OF_EITHER, ids.read_user(wanted.user_id)))
    if wanted.status is not None:
        where.append(("r.status = ANY({}::text[])", tuple(status.value for status in wanted.status)))
    source: Source[Any] = PARTYS_TRANSFERS if of_party else TRANSFERS
    parent = ("party_id", "uuid") if of_party else None
    return Listing(source, (BY_ID,), descending=True, parent=parent, where=tuple(where))


@strawberry.input(description="Which transactions.")
class TransactionFilter:
    order_id: strawberry.ID | None = strawberry.field(default=None, description="For this order.")
    user_id: strawberry.ID | None = strawberry.field(default=None, description="Of this person.")
    status: list[TransactionStatus] | None = strawberry.field(
        default=None, description="In one of these states."
    )
    kind: list[MovementKind] | None = strawberry.field(default=None, description="Of one of these kinds.")
    from_: datetime | None = strawberry.field(
        name="from", default=None, description="From this moment on, by when the balance changed."
    )
    to: datetime | None = strawberry.field(default=None, description="Before this moment, likewise.")


def transactions_listing(
    wanted: TransactionFilter, parent: tuple[str, str] | None = None
) -> Listing[Transaction]:
    """The transactions that a filter asks for, the newest first."""
    where: Where = []
    if wanted.order_id is not None:
        event_id, order_id = ids.read_order(wanted.order_id)
        where += [("r.event_id = {}", event_id), ("r.reference = {}", order_id)]
    if wanted.user_id is not None:
        where.append(("r.user_id = {}", ids.read_user(wanted.user_id)))
    if wanted.status is not None:
        where.append(("r.status = ANY({}::text[])", tuple(status.value for status in wanted.status)))
    if wanted.kind is not None:
        where.append(("r.kind = ANY({}::text[])", tuple(kind.value for kind in wanted.kind)))
    if wanted.from_ is not None:
        where.append(("r.counted_at >= {}", wanted.from_))
    if wanted.to is not None:
        where.append(("r.counted_at < {}", wanted.to))
    return Listing(TRANSACTIONS, (BY_ID,), descending=True, parent=parent, where=tuple(where))


@strawberry.input(description="Which scans.")
class EntryLogFilter:
    event_id: strawberry.ID | None = strawberry.field(default=None, description="At the doors of this event.")
    hall_id: strawberry.ID | None = strawberry.field(default=None, description="At the doors of this hall.")
    result: list[VerificationResult] | None = strawberry.field(
        default=None, description="Those that were told one of these."
    )


def scans_listing(wanted: EntryLogFilter) -> Listing[Scan]:
    """The scans that a filter asks for, the newest first."""
    where: Where = []
    if wanted.event_id is not None:
        where.append(("r.event_id = {}", ids.read_event(wanted.event_id)))
    if wanted.hall_id is not None:
        where.append(("r.hall_id = {}", ids.read_hall(wanted.hall_id)))
    if wanted.result is not None:
        where.append(("r.result = ANY({}::text[])", tuple(result.value for result in wanted.result)))
    return Listing(SCANS, (BY_ID,), descending=True, where=tuple(where))
