"""Sell to many buyers at once, as each of them would pay alone."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from database import Database, Transaction
from models.orders import Order
from steps.idempotency import Key
from steps.ledger import charge_all
from steps.locks import lock_orders
from steps.pay import not_payable, pay_order
from steps.refusals import Refused
from steps.sell import sell
from steps.together import Together, claim_keys, leave_out_all_but
from steps.transact import transact


@dataclass(frozen=True)
class Payment:
    """A buyer who wants to pay an order with credits."""

    buyer_id: UUID
    order_id: UUID
    key: Key | None = None

    @cached_property
    def needs(self) -> frozenset[Hashable]:
        """What no other payment made at the same time may share."""
        return frozenset([self.buyer_id, self.order_id])


class Payments:
    """Where credits pay for orders: payments at one event that arrive together share a transaction."""

    def __init__(self, database: Database, credits_currency: str) -> None:
        self._database = database
        self._credits_currency = credits_currency
        self._together = Together(database, self._pay_all, "payments")

    async def pay(self, *, buyer_id: UUID, event_id: UUID, order_id: UUID, key: Key | None) -> Order:
        """Pay with the buyer's credits, and promise what `pay_order` promises."""
        order = await self._together.ask(event_id, Payment(buyer_id, order_id, key))
        if order is not None:
            return order
        return await transact(
            self._database,
            pay_order,
            buyer_id=buyer_id,
            event_id=event_id,
            order_id=order_id,
            credits_currency=self._credits_currency,
            key=key,
        )

    async def _pay_all(self, tx: Transaction, event_id: UUID, payments: Sequence[Payment]) -> Sequence[Order]:
        """Whoever has any trouble is left out, to hear of it alone."""
        await claim_keys(tx, payments)
        locked = await lock_orders(tx, event_id, [payment.order_id for payment in payments])
        buyers = {payment.order_id: payment.buyer_id for payment in payments}
        orders = [
            order
            for order in locked
            if order["buyer_id"] == buyers[order["id"]] and not not_payable(order, self._credits_currency)
        ]
        leave_out_all_but(payments, {order["id"] for order in orders})
        sold = {o.id: o for o in await sell(tx, event_id, orders) if not isinstance(o, Refused)}
        leave_out_all_but(payments, sold)
        leave_out_all_but(payments, await charge_all(tx, list(sold.values())))
        return [sold[payment.order_id] for payment in payments]
