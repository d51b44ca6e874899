"""Confirm what was paid at the counter: seats and tickets to the buyer, and no credits move."""

from uuid import UUID

from database import Transaction
from models.notifications import NotificationKind
from models.orders import Order, order_of
from steps.idempotency import Key, claim
from steps.locks import lock_order
from steps.notify import Notice, notify
from steps.pay import not_pending, refuse_while_paid_by_card
from steps.refusals import RefusalCode, Refused
from steps.replay import order_now
from steps.sell import sell

TAKEN_BY = "UPDATE orders SET cashier_id = $3 WHERE event_id = $1 AND id = $2 RETURNING *"


async def confirm_order(
    tx: Transaction, *, cashier_id: UUID, event_id: UUID, order_id: UUID, key: Key | None = None
) -> Order:
    """Turn every seat of a PENDING order into a ticket, or none; the cashier has taken the money.

    Refuses as paying does, but for credits and codes: a buyer at the counter needs neither.
    """
    confirmed_before = await claim(tx, key, made=order_id) is not None
    order = await lock_order(tx, event_id, order_id)
    if order is None:
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    if confirmed_before:
        return await order_now(tx, event_id, order_id)
    await refuse_while_paid_by_card(tx, order)
    if (problem := not_pending(order["status"])) is not None:
        raise problem
    (sold,) = await sell(tx, event_id, [order])
    if isinstance(sold, Refused):
        raise sold
    confirmed = await tx.row(TAKEN_BY, event_id, order_id, cashier_id)
    assert confirmed is not None, "what is locked is there"
    await notify(tx, Notice(sold.buyer_id, NotificationKind.ORDER_CONFIRMED, event_id, order_id))
    return order_of(confirmed)
