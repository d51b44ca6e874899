"""Carts as people fill them and check them out."""

from typing import Any
from uuid import UUID

from database import Database
from models.catalogue import Event
from models.orders import Order
from models.users import User
from steps.add_to_cart import Wanted, add_to_cart
from steps.carts import CartNow, carts_now
from steps.checkout import checkout_cart
from steps.hold import Limits
from steps.idempotency import Key
from steps.transact import transact
from tests.world import LIMITS


def adding(user: User, event: Event, wanted: Wanted, limits: Limits = LIMITS) -> dict[str, Any]:
    return {"user_id": user.id, "event_id": event.id, "wanted": wanted, "limits": limits}


async def put_seats(database: Database, user: User, event: Event, *indexes: int) -> CartNow:
    """Put seats in, one after the other; return the cart as it is then."""
    for index in indexes:
        await transact(database, add_to_cart, **adding(user, event, Wanted(index, None, None)))
    return await cart_of(database, user)


async def put_places(
    database: Database, user: User, event: Event, tier: int, quantity: int | None = None
) -> CartNow:
    """Put places of general admission in; return the cart as it is then."""
    await transact(database, add_to_cart, **adding(user, event, Wanted(None, tier, quantity)))
    return await cart_of(database, user)


async def cart_of(database: Database, user: User) -> CartNow:
    return (await carts_now(database.rows, [user.id]))[user.id]


def contents(cart: CartNow) -> list[tuple[UUID, int | None, int]]:
    """The event, the seat and the quantity of each line."""
    return [(line.item.event_id, line.item.index, line.item.quantity) for line in cart.lines]


async def checked_out(
    database: Database, buyer: User, *, limits: Limits = LIMITS, key: Key | None = None
) -> list[Order]:
    return await transact(database, checkout_cart, buyer_id=buyer.id, limits=limits, key=key)


async def set_price(database: Database, event: Event, price_minor: int) -> None:
    """Let all tiers of an event cost so much from now on."""
    async with database.transaction() as tx:
        await tx.rows("UPDATE tiers SET price_minor = $2 WHERE event_id = $1", event.id, price_minor)


async def let_be(database: Database, event: Event, change: str) -> None:
    """Let something else be true of an event, as `status = 'CANCELLED'`."""
    async with database.transaction() as tx:
        await tx.rows(f"UPDATE events SET {change} WHERE id = $1", event.id)


async def let_cart_age(database: Database, user: User, days: int) -> None:
    """Let the last change of a cart be so many days ago."""
    async with database.transaction() as tx:
        await tx.rows(
            "UPDATE carts SET changed_at = changed_at - make_interval(days => $2) WHERE user_id = $1",
            user.id,
            days,
        )
