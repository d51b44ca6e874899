"""Carts: putting in, taking out, checking out."""

from typing import Annotated
from uuid import UUID

import strawberry

from schema import ids
from schema.carts import (
    AddToCartInput,
    Cart,
    CartPayload,
    CartResult,
    CheckoutInput,
    CheckoutPayload,
    CheckoutResult,
    RemoveCartItemInput,
    UpdateCartItemInput,
)
from schema.context import Info
from steps.add_to_cart import add_to_cart
from steps.carts import CartNow
from steps.change_cart import clear_cart, remove_cart_item, update_cart_item
from steps.checkout import checkout_cart


@strawberry.type
class CartMutations:
    @strawberry.mutation(
        description="Put a seat, or places of general admission, into the cart. More places of a tier add "
        "up; a seat is in it once. Nothing is held."
    )
    async def add_to_cart(
        self, info: Info, input: Annotated[AddToCartInput, strawberry.argument(description="What.")]
    ) -> CartResult:
        caller, event_id = info.context.require_person(), ids.read_event(input.event_id)
        before = await info.context.transact(
            add_to_cart,
            user_id=caller.id,
            event_id=event_id,
            wanted=input.wanted(event_id),
            limits=info.context.house.reservations.limits,
        )
        return await _payload(info, caller.id, before)

    @strawberry.mutation(description="Want another number of something that is in the cart.")
    async def update_cart_item(
        self,
        info: Info,
        input: Annotated[UpdateCartItemInput, strawberry.argument(description="What, and how many.")],
    ) -> CartResult:
        caller, item_id = info.context.require_person(), ids.read_cart_item(input.item_id)
        before = await info.context.transact(
            update_cart_item,
            user_id=caller.id,
            item_id=item_id,
            quantity=input.quantity,
            limits=info.context.house.reservations.limits,
        )
        return await _payload(info, caller.id, before)

    @strawberry.mutation(description="Take something out of the cart.")
    async def remove_cart_item(
        self, info: Info, input: Annotated[RemoveCartItemInput, strawberry.argument(description="What.")]
    ) -> CartResult:
        caller, item_id = info.context.require_person(), ids.read_cart_item(input.item_id)
        before = await info.context.transact(remove_cart_item, user_id=caller.id, item_id=item_id)
        return await _payload(info, caller.id, before, removed=item_id)

    @strawberry.mutation(description="Take everything out of the cart.")
    async def clear_cart(self, info: Info) -> CartResult:
        caller = info.context.require_person()
        await info.context.transact(clear_cart, user_id=caller.id)
        return await _payload(info, caller.id, CartNow())

    @strawberry.mutation(
        description="Hold all that is in the cart while you pay, one order an event, and empty it; or hold "
        "nothing, and say what is in the way."
    )
    async def checkout(
        self, info: Info, input: Annotated[CheckoutInput, strawberry.argument(description="How.")]
    ) -> CheckoutResult:
        caller = info.context.require_person()
        orders = await info.context.transact(
            checkout_cart,
            buyer_id=caller.id,
            limits=info.context.house.reservations.limits,
            key=info.context.key("checkout", input.idempotency_key),
        )
        return CheckoutPayload.of(orders)


async def _payload(info: Info, user_id: UUID, before: CartNow, removed: UUID | None = None) -> CartPayload:
    """The cart as it is now, with what there was to tell of it before, but for what was taken out."""
    now = await info.context.loads.cart.load(user_id)
    notices = [notice for notice in before.notices if notice.item_id != removed]
    return CartPayload(cart=Cart.of(user_id, now, notices))
