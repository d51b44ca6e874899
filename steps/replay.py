"""What a key's first request made, read as it is now."""

from uuid import UUID

from database import Transaction
from models.orders import ORDERS_NOW, Order, order_of
from steps.refusals import RefusalCode, Refused

ORDER_NOW = f"SELECT * FROM {ORDERS_NOW} AS now WHERE event_id = $1 AND id = $2"


async def order_now(tx: Transaction, event_id: UUID, order_id: UUID) -> Order:
    """Read an order as it is at this moment: EXPIRED once its hold lapsed, COMPLETED after the event."""
    row = await tx.row(ORDER_NOW, event_id, order_id)
    if row is None:  # it was deleted since
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    return order_of(row)
