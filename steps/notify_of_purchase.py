"""See to it that a buyer was notified of an order that is paid, if it was paid before there were notices."""

from uuid import UUID

from database import Transaction
from models.notifications import NotificationKind
from steps.locks import lock_order
from steps.notify import Notice, notify

NOTIFIED = f"""
    SELECT EXISTS (SELECT FROM notifications
        WHERE user_id = $1 AND order_id = $2 AND kind = '{NotificationKind.ORDER_CONFIRMED}')"""


async def notify_of_purchase(tx: Transaction, *, buyer_id: UUID, event_id: UUID, order_id: UUID) -> bool:
    """Notify the buyer unless they were; say whether they were not. Those who come at once take turns."""
    if await tx.value(NOTIFIED, buyer_id, order_id):
        return False
    await lock_order(tx, event_id, order_id)
    if await tx.value(NOTIFIED, buyer_id, order_id):
        return False
    await notify(tx, Notice(buyer_id, NotificationKind.ORDER_CONFIRMED, event_id, order_id))
    return True
