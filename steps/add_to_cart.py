"""Put a seat or places of general admission into a cart."""

from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.carts import CART_ITEMS_MAX
from models.columns import new_id
from steps.carts import CartNow, facts_of, keep_only, lock_and_read
from steps.hold import Limits
from steps.refusals import RefusalCode, Refused, invalid, seats_refused
from steps.sales import event_on_sale

PUT_IN = """
    INSERT INTO cart_items (user_id, id, event_id, index, tier, quantity, price_minor)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (user_id, id) DO UPDATE
    SET quantity = excluded.quantity, price_minor = excluded.price_minor"""


@dataclass(frozen=True)
class Wanted:
    """A seat by its index, or a quantity of places of a general-admission tier; a quantity of None is one."""

    index: int | None
    tier: int | None
    quantity: int | None

    def refuse_if_wrong(self) -> None:
        if (self.index is None) == (self.tier is None):
            raise invalid("input.tierId", "Say which seat, or which tier of general admission.")
        if self.quantity is not None and self.quantity < 1:
            raise invalid("input.quantity", "Put in at least one.")
        if self.index is not None and self.quantity not in {None, 1}:
            raise invalid("input.quantity", "A seat can be had once.")


async def add_to_cart(
    tx: Transaction, *, user_id: UUID, event_id: UUID, wanted: Wanted, limits: Limits
) -> CartNow:
    """Put what is wanted into a person's cart, and return the cart as it was before.

    More places of a tier add up; a seat that is in it stays in it once. Nothing is held: the seat may be
    somebody's. Refuses what is not on sale, what is not there, and more than an order or a cart may have.
    """
    await event_on_sale(tx, event_id)
    wanted.refuse_if_wrong()
    price_minor = await _price(tx, event_id, wanted)
    before = await lock_and_read(tx, user_id)
    same = [
        line.item
        for line in before.lines
        if (line.item.event_id, line.item.index, line.item.tier) == (event_id, wanted.index, wanted.tier)
    ]
    await keep_only(tx, user_id, [line.item.id for line in before.lines])
    if same and wanted.index is not None:
        return before
    item_id, already = (same[0].id, same[0].quantity) if same else (new_id(), 0)
    quantity = already + (wanted.quantity or 1)
    before.refuse_too_many(event_id, quantity, limits, but=item_id)
    if not same and len(before.lines) >= CART_ITEMS_MAX:
        raise Refused(RefusalCode.TOO_MANY_SEATS, f"A cart has at most {CART_ITEMS_MAX} items.")
    await tx.rows(PUT_IN, user_id, item_id, event_id, wanted.index, wanted.tier, quantity, price_minor)
    return before


async def _price(tx: Transaction, event_id: UUID, wanted: Wanted) -> int:
    """What one of it costs today, or why it cannot be wished for in this way."""
    (today,) = await facts_of(tx.rows, [(event_id, wanted.index, wanted.tier)])
    if today["tier"] is None and wanted.index is not None:
        raise seats_refused(RefusalCode.SEAT_NOT_FOUND, event_id, [wanted.index])
    if today["tier"] is None:
        raise Refused(RefusalCode.TIER_NOT_FOUND)
    _refuse_unless_as_sold(today, wanted)
    price: int = today["price_minor"]
    return price


def _refuse_unless_as_sold(today: Record, wanted: Wanted) -> None:
    if today["general_admission"] and wanted.index is not None:
        raise invalid("input.seatId", "The places of this tier are not numbered: say its tier, and how many.")
    if not today["general_admission"] and wanted.tier is not None:
        raise invalid("input.tierId", "The seats of this tier are numbered: say which one.")
