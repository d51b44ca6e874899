"""Orders: what a buyer holds, and what a buyer bought."""

import asyncio
import math
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, NamedTuple
from uuid import UUID

import strawberry

from auth.viewer import Viewer
from models import orders as rows
from models.tickets import Ticket, can_be_returned
from models.transactions import Transaction
from schema import events, ids, later, seats, tickets, tiers, transactions, users
from schema.context import Info
from schema.enums import EventStatus, OrderStatus
from schema.money import Money
from schema.nodes import Node
from schema.refusals import Refusal
from steps.refund import not_refundable


class Seen(NamedTuple):
    """What an order was at one look, and what of it changes alone; its items change with it."""

    row: rows.Order
    tickets: list[Ticket]
    transactions: list[Transaction]


@strawberry.type(description="A seat in an order.")
class OrderItem:
    price: Money = strawberry.field(description="What was asked for it when it was held.")
    row: strawberry.Private[rows.OrderItem]

    @strawberry.field(description="The seat.")
    async def seat(self, info: Info) -> later.Seat:
        return await seats.Seat.at(info, self.row.event_id, self.row.index)

    @strawberry.field(description="The price tier that it was held in.")
    async def tier(self, info: Info) -> later.PricingTier:
        return await tiers.PricingTier.at(info, self.row.event_id, self.row.tier)


@strawberry.enum(description="What a caller may do with an order.")
class OrderAction(Enum):
    ADD_ITEMS = strawberry.enum_value("ADD_ITEMS", description="Hold more seats, with `addOrderItems`.")
    PAY = strawberry.enum_value("PAY", description="Pay for it, with `pay`.")
    CANCEL = strawberry.enum_value("CANCEL", description="Give its seats back, with `cancelOrder`.")
    CONFIRM = strawberry.enum_value(
        "CONFIRM", description="Say that it was paid at the counter, with `confirmOrder`."
    )
    REFUND = strawberry.enum_value(
        "REFUND", description="Have its unused tickets paid back, with `refundOrder`."
    )


@strawberry.type(description="A booking of seats at one event, born as a hold.")
class Order(Node):
    reference: str = strawberry.field(description="Short, to be said aloud at a counter.")
    status: OrderStatus = strawberry.field(description="Where it is in its life.")
    total: Money = strawberry.field(description="What it costs, all in.")
    refunded_total: Money = strawberry.field(description="How much of it was paid back.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    held_until: datetime | None = strawberry.field(
        description="While PENDING: when its seats are free again."
    )
    row: strawberry.Private[rows.Order]

    @classmethod
    def of(cls, row: rows.Order) -> "Order":
        return cls(
            id=ids.order_id(row.event_id, row.id),
            reference=row.reference,
            status=OrderStatus(row.status),
            total=Money.of(row.total_minor, row.currency),
            refunded_total=Money.of(row.refunded_minor, row.currency),
            created_at=row.created_at,
            updated_at=row.updated_at,
            held_until=row.held_until,
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "Order | None":
        return await cls.visible(info, ids.read_order(id))

    @classmethod
    async def visible(cls, info: Info, key: tuple[UUID, UUID]) -> "Order | None":
        """Load an order that the caller may see: its buyer, and those who run events."""
        row = await info.context.loads.order.load(key) if info.context.viewer else None
        return cls.of(row) if row and cls.is_visible(info, row) else None

    @staticmethod
    def is_visible(info: Info, row: rows.Order) -> bool:
        viewer = info.context.viewer
        return viewer is not None and (viewer.id == row.buyer_id or viewer.runs_events)

    @classmethod
    async def look(cls, info: Info, key: tuple[UUID, UUID]) -> "Seen | None":
        """Read all of an order that its watcher should hear of when it changes, if they may see it.

        A ticket that they may not see is no part of it: they should not hear even that it has changed.
        """
        looks = info.context.house.looks
        row = await looks.order.load(key)
        if row is None or not cls.is_visible(info, row):
            return None
        found, money = await asyncio.gather(
            looks.tickets_of_order.load(key), looks.transactions_of_order.load((row.buyer_id, *key))
        )
        return Seen(row, [ticket for ticket in found if tickets.Ticket.is_visible(info, ticket)], money)

    @strawberry.field(description="The event that it is for.")
    async def event(self, info: Info) -> later.Event:
        return await events.Event.at(info, self.row.event_id)

    @strawberry.field(description="Who made it.")
    async def buyer(self) -> later.Person:
        return users.Person.of(self.row.buyer_id)

    @strawberry.field(description="Its seats, by their index.")
    async def items(self, info: Info) -> list[OrderItem]:
        found = await info.context.loads.items_of_order.load((self.row.event_id, self.row.id))
        return [OrderItem(price=Money.of(row.price_minor, self.row.currency), row=row) for row in found]

    @strawberry.field(description="While PENDING: for how many seconds more its seats are held.")
    async def seconds_left(self, info: Info) -> int | None:
        if self.row.held_until is None:
            return None
        now = await info.context.loads.now.load(())
        return max(0, math.ceil((self.row.held_until - now).total_seconds()))

    @strawberry.field(description="Its tickets, once it is paid, and while it is being paid by card.")
    async def tickets(self, info: Info) -> list[later.Ticket]:
        found = await info.context.loads.tickets_of_order.load((self.row.event_id, self.row.id))
        return [tickets.Ticket.of(row) for row in found if tickets.Ticket.is_visible(info, row)]

    @strawberry.field(description="What its buyer paid for it and got back, in the order of time.")
    async def transactions(self, info: Info) -> list[later.Transaction]:
        key = (self.row.buyer_id, self.row.event_id, self.row.id)
        found = await info.context.loads.transactions_of_order.load(key)
        return [transactions.Transaction.of(row) for row in found]

    @strawberry.field(description="What the caller may do with it now.")
    async def available_actions(self, info: Info) -> list[OrderAction]:
        viewer = info.context.viewer
        if viewer is None or not self.is_visible(info, self.row):
            return []
        if self.status not in {OrderStatus.PENDING, OrderStatus.CONFIRMED}:
            return []
        event = await info.context.loads.event.load((self.row.event_id,))
        is_pending = self.status is OrderStatus.PENDING
        is_payable = is_pending and event is not None and event.status == EventStatus.PUBLISHED
        is_open = is_payable and self.row.payment_id is None  # else its buyer is at it, with a card
        possible = {
            OrderAction.ADD_ITEMS: is_open and await self._is_growing(info),
            OrderAction.PAY: is_payable and viewer.id == self.row.buyer_id,
            OrderAction.CANCEL: is_pending,
            OrderAction.CONFIRM: is_open and viewer.runs_events,
            OrderAction.REFUND: not is_pending and await self._is_refundable(info, viewer),
        }
        return [action for action, is_possible in possible.items() if is_possible]

    async def _is_growing(self, info: Info) -> bool:
        """Say whether seats may be added now: in the time of sale, up to an order's most."""
        event, now, items = await asyncio.gather(
            info.context.loads.event.load((self.row.event_id,)),
            info.context.loads.now.load(()),
            info.context.loads.items_of_order.load((self.row.event_id, self.row.id)),
        )
        assert event is not None, "what belongs to an event has it"
        is_too_early = event.sales_start_at is not None and event.sales_start_at > now
        is_too_late = event.sales_end_at is not None and event.sales_end_at <= now
        has_room = len(items) < info.context.house.settings.seats_per_order_max
        return has_room and not (is_too_early or is_too_late)

    async def _is_refundable(self, info: Info, viewer: Viewer) -> bool:
        """Say whether `refundOrder` would pay something back to this caller now, as it decides itself."""
        event, now, found = await asyncio.gather(
            info.context.loads.event.load((self.row.event_id,)),
            info.context.loads.now.load(()),
            info.context.loads.tickets_of_order.load((self.row.event_id, self.row.id)),
        )
        assert event is not None, "what belongs to an event has it"
        hours = 0 if viewer.runs_events else info.context.house.settings.refund_hours_before_event
        in_time = event.starts_at - timedelta(hours=hours) > now
        if not_refundable(self.row, any_buyer=viewer.runs_events, in_time=in_time) is not None:
            return False
        mine = [t for t in found if can_be_returned(t.status, t.owner_id, self.row.buyer_id)]
        load = info.context.loads.standing_transfers_of_ticket.load
        transfers = await asyncio.gather(*(load((ticket.event_id, ticket.id)) for ticket in mine))
        return any(all(transfer.status != "DISPUTED" for transfer in of_one) for of_one in transfers)


@strawberry.type(description="The order as it is now.")
class OrderPayload:
    order: Order = strawberry.field(description="The order.")
    client_secret: str | None = strawberry.field(
        default=None, description="Of `pay` by CARD: for the provider's own form in the browser."
    )

    @classmethod
    def of(cls, row: rows.Order, client_secret: str | None = None) -> "OrderPayload":
        return cls(order=Order.of(row), client_secret=client_secret)


OrderResult = Annotated[
    OrderPayload | Refusal, strawberry.union("OrderResult", description="The order, or why not.")
]
