"""Pay for what is held: money to the house, seats and tickets to the buyer, all at once or not at all."""

from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.orders import Order
from steps.idempotency import Key, claim
from steps.ledger import charge_credits
from steps.locks import lock_order
from steps.refusals import RefusalCode, Refused
from steps.replay import order_now
from steps.sell import sell

BEING_PAID = "Its buyer is paying it by card: finish that, or cancel the order."


async def pay_order(
    tx: Transaction,
    *,
    buyer_id: UUID,
    event_id: UUID,
    order_id: UUID,
    credits_currency: str,
    key: Key | None = None,
) -> Order:
    """Pay with the buyer's credits: the money moves and every seat becomes a ticket, or nothing does.

    The hold itself is consumed, under its lock, so a lapsed or foreign hold is never payable. A flagged buyer
    has to verify a code for the order first. Under a `key` that was used before it answers with the order as
    it is now.
    """
    paid_before = await claim(tx, key, made=order_id) is not None
    order = await lock_order(tx, event_id, order_id)
    if order is None or order["buyer_id"] != buyer_id:
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    if paid_before:
        return await order_now(tx, event_id, order_id)
    await refuse_while_paid_by_card(tx, order)
    if (problem := not_payable(order, credits_currency)) is not None:
        raise problem
    (sold,) = await sell(tx, event_id, [order])
    if isinstance(sold, Refused):
        raise sold
    await charge_credits(tx, sold)
    return sold


def not_payable(order: Record, credits_currency: str) -> Refused | None:
    """Say why an order cannot be paid with credits, whatever its seats are, if so."""
    if (problem := not_pending(order["status"])) is not None:
        return problem
    if order["payment_id"] is not None:
        return Refused(RefusalCode.ORDER_INVALID_STATE, BEING_PAID)
    if order["total_minor"] and order["currency"] != credits_currency:
        return Refused(
            RefusalCode.PAYMENT_METHOD_NOT_ALLOWED,
            f"Credits are in {credits_currency}; this order is in {order['currency']}.",
        )
    return None


async def refuse_while_paid_by_card(tx: Transaction, order: Record) -> None:
    """Refuse to change an order under lock that is being paid by card, or whose time for that is over."""
    if order["payment_id"] is not None:
        now = await order_now(tx, order["event_id"], order["id"])
        raise not_pending(now.status) or Refused(RefusalCode.ORDER_INVALID_STATE, BEING_PAID)


def not_pending(status: str) -> Refused | None:
    """Say why an order in this state does not wait to be paid, if so."""
    match status:
        case "CONFIRMED" | "COMPLETED":
            return Refused(RefusalCode.ORDER_ALREADY_CONFIRMED)
        case "EXPIRED":
            return Refused(RefusalCode.HOLD_EXPIRED)
        case "CANCELLED" | "REFUNDED":
            return Refused(RefusalCode.ORDER_INVALID_STATE)
    return None
