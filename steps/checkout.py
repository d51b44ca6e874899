"""Hold all that is in a cart, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from database import Transaction
from models.carts import CART_ITEMS_MAX
from models.columns import new_id
from models.orders import ORDERS_NOW, Order, order_of
from steps.carts import CartNow, Line, keep_only, lock_and_read
from steps.choose import GeneralAdmission, general_admission_places
from steps.hold import Limits, Wish, hold
from steps.idempotency import Key, claim
from steps.locks import lock_buyers
from steps.refusals import InFlight, RefusalCode, Refused
from steps.sales import event_on_sale

IDS_OF_A_CHECKOUT = 64
"""The orders of a checkout have ids that follow on its own, so that its key finds all of them again."""
assert IDS_OF_A_CHECKOUT >= CART_ITEMS_MAX, "an order has at least one item"

ORDERS_OF_CHECKOUT = f"""
    SELECT * FROM {ORDERS_NOW} AS now WHERE buyer_id = $1 AND id >= $2 AND id < $3 ORDER BY id"""


@dataclass(frozen=True)
class Part:
    """What a cart has of one event, and the id of the order that it becomes."""

    event_id: UUID
    order_id: UUID
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Obstacle:
    """A refusal of a part, and of which of its lines."""

    part: Part
    refusal: Refused
    lines: tuple[Line, ...] = ()

    @property
    def message(self) -> str:
        """Which event, and what of it, by name, and why not."""
        event, labels = self.part.lines[0].today["name"], "; ".join(line.label for line in self.lines)
        return f"{event}: {self.refusal}" + (f" ({labels})" if labels else "")


async def checkout_cart(
    tx: Transaction, *, buyer_id: UUID, limits: Limits, key: Key | None = None
) -> list[Order]:
    """Hold all that is in a person's cart, as one order for each event, and empty it; or hold nothing.

    Each order is held as `reserve_seats` would hold it. A refusal says everything that is in the way, at
    every event. What fell out of the cart is in nobody's way, and is still told.
    """
    checkout_id = UUID(int=new_id().int & -IDS_OF_A_CHECKOUT)
    first = await claim(tx, key, made=checkout_id)
    if first is not None:
        return await _orders_now(tx, buyer_id, first)
    cart = await lock_and_read(tx, buyer_id)
    if not cart.lines:
        raise Refused(RefusalCode.CART_EMPTY)
    orders: list[Order] = []
    obstacles: list[Obstacle] = []
    # In the order of the events, so that two checkouts which wait for each other's rows do so in turn.
    for part in sorted(_parts(cart, checkout_id), key=lambda part: part.event_id):
        order, in_the_way = await _hold_part(tx, part, buyer_id, limits)
        orders += [order] if order else []
        obstacles += in_the_way
    if obstacles:
        raise _refusal(obstacles)
    await keep_only(tx, buyer_id, [notice.item_id for notice in cart.fell_out])
    return sorted(orders, key=lambda order: order.id)


async def _orders_now(tx: Transaction, buyer_id: UUID, checkout_id: UUID) -> list[Order]:
    """Read the orders of a checkout as they are at this moment."""
    after = UUID(int=checkout_id.int + IDS_OF_A_CHECKOUT)
    rows = await tx.rows(ORDERS_OF_CHECKOUT, buyer_id, checkout_id, after)
    if not rows:  # they were deleted since
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    return [order_of(row) for row in rows]


def _parts(cart: CartNow, checkout_id: UUID) -> list[Part]:
    """What a cart has of each event, in the order in which the events came into it."""
    events = dict.fromkeys(line.item.event_id for line in cart.lines)
    return [
        Part(
            event_id,
            UUID(int=checkout_id.int + place),
            tuple(line for line in cart.lines if line.item.event_id == event_id),
        )
        for place, event_id in enumerate(events)
    ]


async def _hold_part(
    tx: Transaction, part: Part, buyer_id: UUID, limits: Limits
) -> tuple[Order | None, list[Obstacle]]:
    """Hold what a cart has of one event; or say all that is in the way, and leave it to be rolled back."""
    await lock_buyers(tx, part.event_id, [buyer_id])
    if sum(line.item.quantity for line in part.lines) > (most := limits.seats_per_order_max):
        too_many = Refused(RefusalCode.TOO_MANY_SEATS, f"An order has at most {most} seats.")
        return None, [Obstacle(part, too_many)]
    try:
        await event_on_sale(tx, part.event_id)
    except Refused as refusal:
        return None, [Obstacle(part, refusal)]
    indexes, obstacles = await _places(tx, part)
    indexes += [line.item.index for line in part.lines if line.item.index is not None]
    if not indexes:
        return None, obstacles
    (answer,) = await hold(tx, part.event_id, [Wish(buyer_id, part.order_id, tuple(sorted(indexes)))], limits)
    if not isinstance(answer, Refused):
        return answer, obstacles
    taken = {index for _, index in answer.seats}
    named = tuple(line for line in part.lines if line.item.index in taken)
    return None, [*obstacles, Obstacle(part, answer, named)]


async def _places(tx: Transaction, part: Part) -> tuple[list[int], list[Obstacle]]:
    """Lock places for each line of general admission; tell of each for which there are not enough."""
    indexes: list[int] = []
    obstacles: list[Obstacle] = []
    standing = [line for line in part.lines if line.item.index is None]
    for line in sorted(standing, key=lambda line: line.today["first_index"]):
        wish = GeneralAdmission(((line.tier, line.item.quantity),))
        try:
            indexes += await general_admission_places(tx, part.event_id, wish)
        except Refused as refusal:
            obstacles.append(Obstacle(part, refusal, (line,)))
    return indexes, obstacles


def _refusal(obstacles: Sequence[Obstacle]) -> Refused:
    """One refusal for everything that is in the way, in the order of the cart, with the code of the first.

    It is worth one more try if some of it is only in flight.
    """
    in_order = sorted(obstacles, key=lambda obstacle: obstacle.part.order_id)
    refusals = [obstacle.refusal for obstacle in in_order]
    code, codes = refusals[0].code, {refusal.code for refusal in refusals}
    if code is RefusalCode.SEAT_ALREADY_SOLD and RefusalCode.SEAT_UNAVAILABLE in codes:
        code = RefusalCode.SEAT_UNAVAILABLE
    kind = InFlight if any(isinstance(refusal, InFlight) for refusal in refusals) else Refused
    return kind(
        code,
        " ".join(obstacle.message for obstacle in in_order),
        seats=tuple(seat for refusal in refusals for seat in refusal.seats),
    )
