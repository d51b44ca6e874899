"""Orders: holding seats, paying for them, giving them back."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry

from dataloaders.pages import PageArguments
from models.topics import order_topic
from schema import ids
from schema.context import Info
from schema.deleted import DeletePayload, DeleteResult
from schema.errors import not_found
from schema.filters import OrderFilter, orders_listing
from schema.order_inputs import (
    AddOrderItemsInput,
    OrderInput,
    PayInput,
    PaymentMethod,
    RemoveOrderItemsInput,
    ReserveInput,
)
from schema.orders import Order, OrderPayload, OrderResult
from schema.pages import After, Before, Connection, First, Last, connect
from steps.add_items import add_order_items
from steps.cancel import cancel_order
from steps.confirm import confirm_order
from steps.delete_order import delete_order
from steps.idempotency import Key
from steps.pay_by_card import CardTerms, note_card_payment, open_card_payment
from steps.refund import refund_order
from steps.refusals import RefusalCode, Refused
from steps.remove_items import remove_order_items

TheOrder = Annotated[OrderInput, strawberry.argument(description="The order.")]


@strawberry.type
class OrderQueries:
    @strawberry.field(description="An order: the buyer's own, or any for OPERATOR and ADMIN.")
    async def order(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Order | None:
        key = ids.read_order(id)
        info.context.require_viewer()
        return await Order.visible(info, key)

    @strawberry.field(description="Orders, the newest first: one's own, or all for OPERATOR and ADMIN.")
    async def orders(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[OrderFilter | None, strawberry.argument(description="Only these orders.")] = None,
    ) -> Connection[Order] | None:
        owner = info.context.owner_of_lists(filter.user_id if filter else None)
        listing = await orders_listing(
            info, filter or OrderFilter(), parent=("buyer_id", "uuid") if owner else None
        )
        return await connect(info, listing, Order.of, PageArguments(first, after, last, before), owner)


@strawberry.type
class OrderSubscriptions:
    @strawberry.subscription(
        description="An order that `order` shows the caller: as it is, then after every change of it, of its "
        "items, tickets or payments, whoever made it. Ends when it is deleted."
    )
    async def order_updated(
        self, info: Info, order_id: Annotated[strawberry.ID, strawberry.argument(description="The order.")]
    ) -> AsyncGenerator[Order, None]:
        key = ids.read_order(order_id)
        info.context.require_viewer()
        if await Order.visible(info, key) is None:
            raise not_found("order")
        look = partial(Order.look, info, key)
        async with info.context.house.news.follow(look, order_topic(*key)) as changes:
            async for seen in changes:
                yield Order.of(seen.row)


async def pay_by_card(
    info: Info, buyer_id: UUID, event_id: UUID, order_id: UUID, key: Key | None
) -> OrderPayload:
    """Open the payment, begin it at the provider, and note that: two transactions, and nothing in between."""
    house = info.context.house
    if house.provider is None:
        raise Refused(RefusalCode.PAYMENT_METHOD_NOT_ALLOWED)
    payment = await info.context.transact(
        open_card_payment,
        buyer_id=buyer_id,
        event_id=event_id,
        order_id=order_id,
        terms=CardTerms(house.provider.name, house.settings.card_hold_seconds),
        key=key,
    )
    known = payment.provider_reference
    begun = await (house.provider.ask(known) if known else house.provider.begin(payment))
    order = await info.context.transact(note_card_payment, news=begun, event_id=event_id, order_id=order_id)
    return OrderPayload.of(order, begun.client_secret)


@strawberry.type
class OrderMutations:
    @strawberry.mutation(description="Hold seats while you pay: all of them, or none.")
    async def reserve(
        self,
        info: Info,
        input: Annotated[ReserveInput, strawberry.argument(description="The event, and which of its seats.")],
    ) -> OrderResult:
        caller, event_id = info.context.require_viewer(), ids.read_event(input.event_id)
        buyer_id = info.context.buyer(input.buyer_id)
        selection, reservations = input.selection.read(event_id), info.context.house.reservations
        is_own = buyer_id == caller.id and not caller.is_service
        order = await (reservations.reserve if is_own else reservations.reserve_for)(
            buyer_id=buyer_id,
            event_id=event_id,
            selection=selection,
            key=info.context.key(
                "reserve",
                input.idempotency_key,
                event_id=event_id,
                selection=repr(selection),
                buyer_id=buyer_id,
            ),
        )
        return OrderPayload.of(order)

    @strawberry.mutation(
        description="Hold more seats in an order that is not paid, until the same time: all of them, or none."
    )
    async def add_order_items(
        self,
        info: Info,
        input: Annotated[
            AddOrderItemsInput, strawberry.argument(description="The order, and which seats besides.")
        ],
    ) -> OrderResult:
        caller, (event_id, order_id) = info.context.require_person(), ids.read_order(input.order_id)
        selection = input.selection.read(event_id)
        order = await info.context.transact(
            add_order_items,
            caller_id=caller.id,
            any_buyer=caller.runs_events,
            event_id=event_id,
            order_id=order_id,
            selection=selection,
            limits=info.context.house.reservations.limits,
            key=info.context.key(
                "addOrderItems",
                input.idempotency_key,
                order_id=input.order_id,
                selection=repr(selection),
            ),
        )
        return OrderPayload.of(order)

    @strawberry.mutation(
        description="Give some seats of an order back that is not paid; they are free again."
    )
    async def remove_order_items(
        self,
        info: Info,
        input: Annotated[
            RemoveOrderItemsInput, strawberry.argument(description="The order, and which of its seats.")
        ],
    ) -> OrderResult:
        caller, (event_id, order_id) = info.context.require_person(), ids.read_order(input.order_id)
        indexes = input.indexes(event_id)
        order = await info.context.transact(
            remove_order_items,
            caller_id=caller.id,
            any_buyer=caller.runs_events,
            event_id=event_id,
            order_id=order_id,
            indexes=indexes,
            key=info.context.key(
                "removeOrderItems",
                input.idempotency_key,
                order_id=input.order_id,
                indexes=sorted(set(indexes)),
            ),
        )
        return OrderPayload.of(order)

    @strawberry.mutation(
        description="Pay for what you hold: every seat becomes a ticket, or none does. By CARD once the "
        "provider says that it is paid; `clientSecret` is for its form."
    )
    async def pay(
        self,
        info: Info,
        input: Annotated[PayInput, strawberry.argument(description="The order, and how it is paid.")],
    ) -> OrderResult:
        buyer, (event_id, order_id) = info.context.require_person(), ids.read_order(input.order_id)
        key = info.context.key(
            "pay", input.idempotency_key, order_id=input.order_id, method=input.method.name
        )
        if input.method is PaymentMethod.CARD:
            return await pay_by_card(info, buyer.id, event_id, order_id, key)
        order = await info.context.house.payments.pay(
            buyer_id=buyer.id, event_id=event_id, order_id=order_id, key=key
        )
        return OrderPayload.of(order)

    @strawberry.mutation(description="Give back what you hold and have not paid; its seats are free again.")
    async def cancel_order(self, info: Info, input: TheOrder) -> OrderResult:
        caller, (event_id, order_id) = info.context.require_person(), ids.read_order(input.order_id)
        order = await info.context.transact(
            cancel_order,
            caller_id=caller.id,
            any_buyer=caller.runs_events,
            event_id=event_id,
            order_id=order_id,
            key=info.context.key("cancelOrder", input.idempotency_key, order_id=input.order_id),
        )
        return OrderPayload.of(order)

    @strawberry.mutation(description="Say that an order was paid at the counter. OPERATOR, ADMIN.")
    async def confirm_order(self, info: Info, input: TheOrder) -> OrderResult:
        cashier, (event_id, order_id) = info.context.require_operator(), ids.read_order(input.order_id)
        order = await info.context.transact(
            confirm_order,
            cashier_id=cashier.id,
            event_id=event_id,
            order_id=order_id,
            key=info.context.key("confirmOrder", input.idempotency_key, order_id=input.order_id),
        )
        return OrderPayload.of(order)

    @strawberry.mutation(
        description="Pay back every ticket of an order that is neither used nor given away; its seats are "
        "free again. Its buyer until some hours before the event, OPERATOR and ADMIN until it begins."
    )
    async def refund_order(self, info: Info, input: TheOrder) -> OrderResult:
        caller, (event_id, order_id) = info.context.require_person(), ids.read_order(input.order_id)
        order = await info.context.transact(
            refund_order,
            caller_id=caller.id,
            any_buyer=caller.runs_events,
            event_id=event_id,
            order_id=order_id,
            hours_before=info.context.house.settings.refund_hours_before_event,
            key=info.context.key("refundOrder", input.idempotency_key, order_id=input.order_id),
        )
        return OrderPayload.of(order)

    @strawberry.mutation(
        description="Delete an order that was never paid; what it holds is free again. ADMIN."
    )
    async def delete_order(self, info: Info, input: TheOrder) -> DeleteResult:
        info.context.require_admin()
        event_id, order_id = ids.read_order(input.order_id)
        deleted = await info.context.transact(
            delete_order,
            event_id=event_id,
            order_id=order_id,
            key=info.context.key("deleteOrder", input.idempotency_key, order_id=input.order_id),
        )
        return DeletePayload(deleted_id=ids.order_id(*deleted))
