"""See to it that a buyer was notified of an order that is paid, if it was paid before there were notices."""

from uuid import UUID

from database import Transaction
from models.notifications import NotificationKind
from steps.locks import lock_order
from steps.notify import Notice, notify

NOTIFIED = f"""
    SELECT told_at IS NOT NULL FROM notifications
    WHERE user_id = $1 AND order_id = $2 AND kind = '{NotificationKind.ORDER_CONFIRMED}'"""


async def notify_of_purchase(tx: Transaction, *, buyer_id: UUID, event_id: UUID, order_id: UUID) -> bool:
    """Notify the buyer unless they were; say whether they are told by mail already.

    Those who come at once take turns.
    """
    is_told: bool | None = await tx.value(NOTIFIED, buyer_id, order_id)
    if is_told is None:
        await lock_order(tx, event_id, order_id)
        is_told = await tx.value(NOTIFIED, buyer_id, order_id)
    if is_told is None:
        await notify(tx, Notice(buyer_id, NotificationKind.ORDER_CONFIRMED, event_id, order_id))
    return bool(is_told)
