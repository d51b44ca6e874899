"""Want more or fewer places, take something out of a cart, or everything."""

from uuid import UUID

from database import Transaction
from steps.carts import CartNow, keep_only, lock_and_read
from steps.hold import Limits
from steps.refusals import RefusalCode, Refused, invalid


async def update_cart_item(
    tx: Transaction, *, user_id: UUID, item_id: UUID, quantity: int, limits: Limits
) -> CartNow:
    """Want so many of an item of a person's cart, at today's price; return the cart as it was before."""
    before = await lock_and_read(tx, user_id)
    line = before.line(item_id)
    if quantity < 1:
        raise invalid("input.quantity", "Want at least one, or take the item out with removeCartItem.")
    if line.item.index is not None and quantity != 1:
        raise invalid("input.quantity", "A seat can be had once.")
    before.refuse_too_many(line.item.event_id, quantity, limits, but=item_id)
    await keep_only(tx, user_id, [line.item.id for line in before.lines])
    await tx.rows(
        "UPDATE cart_items SET quantity = $3, price_minor = $4 WHERE user_id = $1 AND id = $2",
        user_id,
        item_id,
        quantity,
        line.today["price_minor"],
    )
    return before


async def remove_cart_item(tx: Transaction, *, user_id: UUID, item_id: UUID) -> CartNow:
    """Take an item out of a person's cart, also one that fell out of it; return the cart as it was before."""
    before = await lock_and_read(tx, user_id)
    known = [line.item.id for line in before.lines]
    if item_id not in {*known, *(notice.item_id for notice in before.fell_out)}:
        raise Refused(RefusalCode.CART_ITEM_NOT_FOUND)
    await keep_only(tx, user_id, [known_id for known_id in known if known_id != item_id])
    return before


async def clear_cart(tx: Transaction, *, user_id: UUID) -> None:
    """Take everything out of a person's cart; one that is empty is none the worse for it."""
    await lock_and_read(tx, user_id)
    await keep_only(tx, user_id, [])
