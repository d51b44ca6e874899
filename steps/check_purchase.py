"""Validate a purchase that a message tells of: the order is what it says, and its money has come."""

from dataclasses import dataclass
from uuid import UUID

from database import Transaction
from models.ledger import MovementKind
from models.money import to_major
from models.orders import Order, OrderStatus
from models.payments import PaymentStatus
from steps.refusals import RefusalCode, Refused
from steps.replay import order_now

PAID = {OrderStatus.CONFIRMED, OrderStatus.COMPLETED}
NOT_COVERED = "What was paid for the order is not what it costs."

BOOKED = f"""
    SELECT coalesce(sum(amount_minor) FILTER (WHERE currency = $3), 0)::bigint FROM movements
    WHERE user_id = $1 AND reference = $2 AND kind = '{MovementKind.PURCHASE}'"""

PAYMENT = "SELECT * FROM payments WHERE user_id = $1 AND id = $2"


@dataclass(frozen=True)
class Checked:
    """An order that is paid, or that waits to be: then perhaps with what the provider calls its payment."""

    order: Order
    is_paid: bool
    ask: str | None = None


async def check_purchase(
    tx: Transaction, *, event_id: UUID, order_id: UUID, total_minor: int, currency: str
) -> Checked:
    """Say whether this order, of this price, is paid; it changes nothing.

    Refuses an order that is over or unknown, another price than it has, and money that does not cover it.
    """
    order = await order_now(tx, event_id, order_id)
    if (total_minor, currency) != (order.total_minor, order.currency):
        said, is_so = (
            f"{to_major(minor, code)} {code}"
            for minor, code in ((total_minor, currency), (order.total_minor, order.currency))
        )
        raise Refused(RefusalCode.VALIDATION_ERROR, f"The message says {said}, the order costs {is_so}.")
    if order.status not in PAID | {OrderStatus.PENDING}:
        raise Refused(RefusalCode.ORDER_INVALID_STATE, f"The order is {order.status}.")
    payment = await tx.row(PAYMENT, order.buyer_id, order.payment_id) if order.payment_id else None
    if order.status == OrderStatus.PENDING:
        return Checked(order, is_paid=False, ask=payment["provider_reference"] if payment else None)
    if order.payment_id and not (payment and payment["status"] == PaymentStatus.SUCCESS):
        raise Refused(RefusalCode.TRANSACTION_INVALID_STATE, NOT_COVERED)
    at_counter = order.cashier_id is not None  # what is taken there is in no book of ours
    if not at_counter and await tx.value(BOOKED, order.buyer_id, order_id, currency) != order.total_minor:
        raise Refused(RefusalCode.TRANSACTION_INVALID_STATE, NOT_COVERED)
    return Checked(order, is_paid=True)
