"""Delete an order that was never paid, and free what it still holds."""

from uuid import UUID

from database import Transaction
from models.notifications import NotificationKind
from models.orders import Order, OrderStatus
from steps.idempotency import Key, claim
from steps.locks import lock_order
from steps.notify import Notice, notify
from steps.outbox import log_of
from steps.place import give_up_payment
from steps.refusals import RefusalCode, Refused
from steps.replay import order_now

PAID = {"CONFIRMED", "COMPLETED", "REFUNDED"}

DELETE = f"""
    WITH freed AS (
        UPDATE seats s SET status = 'A', version = s.version + 1, held_until = NULL, order_id = NULL
        WHERE s.event_id = $1 AND s.index = ANY($3::int[]) AND s.order_id = $2
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("freed")}
    ), taken_back AS (
        DELETE FROM tickets WHERE event_id = $1 AND order_id = $2
    ), listed AS (
        DELETE FROM order_items WHERE event_id = $1 AND order_id = $2
    )
    DELETE FROM orders WHERE event_id = $1 AND id = $2"""
"""$1 event, $2 order, $3 the indexes of the seats that name it."""


async def delete_order(
    tx: Transaction, *, event_id: UUID, order_id: UUID, key: Key | None = None
) -> tuple[UUID, UUID]:
    """Delete an order with its items and return its key; every seat that still names it is free again.

    Refuses one that was ever paid (ORDER_INVALID_STATE): the books speak of it.
    """
    deleted_before = await claim(tx, key, made=order_id) is not None
    if not deleted_before:
        order = await lock_order(tx, event_id, order_id)
        if order is None:
            raise Refused(RefusalCode.ORDER_NOT_FOUND)
        if order["status"] in PAID:
            raise Refused(RefusalCode.ORDER_INVALID_STATE, "An order that was paid stays in the books.")
        if order["status"] == "PENDING":
            await _notify(tx, await order_now(tx, event_id, order_id))
        await give_up_payment(tx, order)
        await tx.rows(DELETE, event_id, order_id, order["indexes"])
        if order["indexes"]:
            tx.changed_events.add(event_id)
    return event_id, order_id


async def _notify(tx: Transaction, order: Order) -> None:
    """Notify a buyer that a hold is over, of which nobody has told them yet."""
    lapsed = order.status == OrderStatus.EXPIRED
    kind = NotificationKind.HOLD_EXPIRED if lapsed else NotificationKind.ORDER_CANCELLED
    await notify(tx, Notice(order.buyer_id, kind, order.event_id, order.id))
