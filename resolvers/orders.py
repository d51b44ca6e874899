"""Orders: holding seats, paying for them, giving them back."""

from typing import Annotated

import strawberry

from dataloaders.pages import PageArguments
from schema import ids
from schema.context import Info
from schema.filters import OrderFilter, orders_listing
from schema.order_inputs import OrderInput, PayInput, PaymentMethod, ReserveInput
from schema.orders import Order, OrderPayload, OrderResult
from schema.pages import After, Before, Connection, First, Last, connect
from steps.cancel import cancel_order
from steps.refusals import RefusalCode, Refused


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
class OrderMutations:
    @strawberry.mutation(description="Hold seats while you pay: all of them, or none.")
    async def reserve(
        self,
        info: Info,
        input: Annotated[ReserveInput, strawberry.argument(description="The event, and which of its seats.")],
    ) -> OrderResult:
        buyer, event_id = info.context.require_viewer(), ids.read_event(input.event_id)
        selection = input.selection.read(event_id)
        order = await info.context.house.reservations.reserve(
            buyer_id=buyer.id,
            event_id=event_id,
            selection=selection,
            key=info.context.key(
                "reserve", input.idempotency_key, event_id=event_id, selection=repr(selection)
            ),
        )
        return OrderPayload.of(order)

    @strawberry.mutation(description="Pay for what you hold: every seat becomes a ticket, or none does.")
    async def pay(
        self,
        info: Info,
        input: Annotated[PayInput, strawberry.argument(description="The order, and how it is paid.")],
    ) -> OrderResult:
        buyer, (event_id, order_id) = info.context.require_viewer(), ids.read_order(input.order_id)
        if input.method is not PaymentMethod.CREDITS:
            raise Refused(RefusalCode.PAYMENT_METHOD_NOT_ALLOWED)
        order = await info.context.house.payments.pay(
            buyer_id=buyer.id,
            event_id=event_id,
            order_id=order_id,
            key=info.context.key(
                "pay", input.idempotency_key, order_id=input.order_id, method=input.method.name
            ),
        )
        return OrderPayload.of(order)

    @strawberry.mutation(description="Give back what you hold and have not paid; its seats are free again.")
    async def cancel_order(
        self, info: Info, input: Annotated[OrderInput, strawberry.argument(description="The order.")]
    ) -> OrderResult:
        caller, (event_id, order_id) = info.context.require_viewer(), ids.read_order(input.order_id)
        order = await info.context.transact(
            cancel_order,
            caller_id=caller.id,
            any_buyer=caller.runs_events,
            event_id=event_id,
            order_id=order_id,
            key=info.context.key("cancelOrder", input.idempotency_key, order_id=input.order_id),
        )
        return OrderPayload.of(order)
