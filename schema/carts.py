"""Carts: what a person has put aside to buy, at today's prices."""

from typing import Annotated
from uuid import UUID

import strawberry

from models import orders as rows
from schema import events, ids, later, orders, seats, tiers
from schema.context import Info
from schema.money import Money
from schema.nodes import Node
from schema.order_inputs import KEY
from schema.refusals import Refusal
from steps.add_to_cart import Wanted
from steps.carts import CartNow, Line, Notice
from steps.refusals import RefusalCode, Refused


@strawberry.type(description="A wish for a seat, or for places; nothing is held before `checkout`.")
class CartItem(Node):
    quantity: int = strawberry.field(description="How many; 1 for a seat.")
    subtotal: Money = strawberry.field(description="What it costs at today's price, all in.")
    line: strawberry.Private[Line]

    @classmethod
    def of(cls, line: Line) -> "CartItem":
        return cls(
            id=ids.cart_item_id(line.item.id),
            quantity=line.item.quantity,
            subtotal=Money.of(line.subtotal_minor, line.today["currency"]),
            line=line,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "CartItem | None":
        item_id, viewer = ids.read_cart_item(id), info.context.viewer
        lines = (await _cart_now(info, viewer.id)).lines if viewer else ()
        return next((cls.of(line) for line in lines if line.item.id == item_id), None)

    @strawberry.field(description="The event.")
    async def event(self, info: Info) -> later.Event:
        return await events.Event.at(info, self.line.item.event_id)

    @strawberry.field(description="The price tier.")
    async def tier(self, info: Info) -> later.PricingTier:
        return await tiers.PricingTier.at(info, self.line.item.event_id, self.line.tier)

    @strawberry.field(description="The seat; null for general admission.")
    async def seat(self, info: Info) -> later.Seat | None:
        item = self.line.item
        return None if item.index is None else await seats.Seat.at(info, item.event_id, item.index)


@strawberry.type(description="Something that changed without the person's doing.")
class CartNotice:
    item_id: strawberry.ID | None = strawberry.field(description="The item that it is about.")
    message: str = strawberry.field(description="What changed, as a sentence that can be shown to a person.")


@strawberry.type(description="What a person has put aside to buy. It is forgotten after 30 days unchanged.")
class Cart(Node):
    items: list[CartItem] = strawberry.field(description="What is in it, in the order of putting in.")
    totals: list[Money] = strawberry.field(
        description="What it costs at today's prices, one amount a currency."
    )
    notices: list[CartNotice] = strawberry.field(
        description="Which prices changed since an item was put in, and what fell out because its event is "
        "cancelled or over: the latter until the cart is next changed, whose answer tells it last."
    )

    @classmethod
    def of(cls, user_id: UUID, now: CartNow, notices: list[Notice]) -> "Cart":
        totals: dict[str, int] = {}
        for line in now.lines:
            currency = line.today["currency"]
            totals[currency] = totals.get(currency, 0) + line.subtotal_minor
        return cls(
            id=ids.cart_id(user_id),
            items=[CartItem.of(line) for line in now.lines],
            totals=[Money.of(minor, currency) for currency, minor in totals.items()],
            notices=[
                CartNotice(item_id=ids.cart_item_id(notice.item_id), message=notice.message)
                for notice in notices
            ],
        )

    @classmethod
    async def of_user(cls, info: Info, user_id: UUID) -> "Cart":
        """Read a person's cart, which is empty for everybody but them."""
        now = await _cart_now(info, user_id)
        return cls.of(user_id, now, now.notices)

    @classmethod
    async def find(cls, info: Info, id: str) -> "Cart | None":
        user_id = ids.read_cart(id)
        return await cls.of_user(info, user_id) if info.context.is_person(user_id) else None


async def _cart_now(info: Info, user_id: UUID) -> CartNow:
    """What is in a person's cart, for that person; nothing for everybody else."""
    if not info.context.is_person(user_id):
        return CartNow()
    return await info.context.loads.cart.load(user_id)


@strawberry.input(description="A seat, or places of general admission, to put into the cart.")
class AddToCartInput:
    event_id: strawberry.ID = strawberry.field(description="The event.")
    tier_id: strawberry.ID | None = strawberry.field(
        default=None, description="A tier of general admission, of which `quantity` places are wanted."
    )
    quantity: int | None = strawberry.field(default=None, description="How many; null: one.")
    seat_id: strawberry.ID | None = strawberry.field(default=None, description="Or a seat of its own.")

    def wanted(self, event_id: UUID) -> Wanted:
        """Turn global ids into what the step takes; a thing of another event is refused."""
        tier = seat = None
        if self.tier_id is not None:
            of_event, tier = ids.read_tier(self.tier_id)
            if of_event != event_id:
                raise Refused(RefusalCode.TIER_NOT_FOUND)
        if self.seat_id is not None:
            of_event, seat = ids.read_seat(self.seat_id)
            if of_event != event_id:
                raise Refused(RefusalCode.SEAT_NOT_FOUND, seats=((of_event, seat),))
        return Wanted(seat, tier, self.quantity)


@strawberry.input(description="Another number of something that is in the cart.")
class UpdateCartItemInput:
    item_id: strawberry.ID = strawberry.field(description="The item.")
    quantity: int = strawberry.field(description="How many, at least 1.")


@strawberry.input(description="Something to take out of the cart.")
class RemoveCartItemInput:
    item_id: strawberry.ID = strawberry.field(description="The item; one that fell out is good, too.")


@strawberry.input(description="How to check out; what is in the cart says the rest.")
class CheckoutInput:
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The cart as it is now.")
class CartPayload:
    cart: Cart = strawberry.field(description="The cart.")


@strawberry.type(description="What was in the cart, held while you pay.")
class CheckoutPayload:
    orders: list[later.Order] = strawberry.field(
        description="An order for each event, in the order in which the events came into the cart."
    )

    @classmethod
    def of(cls, rows: list[rows.Order]) -> "CheckoutPayload":
        return cls(orders=[orders.Order.of(row) for row in rows])


CartResult = Annotated[
    CartPayload | Refusal, strawberry.union("CartResult", description="The cart, or why not.")
]
CheckoutResult = Annotated[
    CheckoutPayload | Refusal,
    strawberry.union("CheckoutResult", description="The orders, or everything that is in the way."),
]
