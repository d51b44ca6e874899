"""Give back what is held and not paid: the order ends, its seats are free again."""

from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.notifications import NotificationKind
from models.orders import Order, order_of
from steps.idempotency import Key, claim
from steps.locks import lock_order
from steps.notify import Notice, notify
from steps.outbox import log_of
from steps.place import give_up_payment
from steps.refusals import RefusalCode, Refused

CANCEL = f"""
    WITH cancelled AS (
        UPDATE orders SET status = 'CANCELLED', held_until = NULL, payment_id = NULL,
            updated_at = statement_timestamp()
        WHERE event_id = $1 AND id = $2 AND status = 'PENDING' AND held_until > statement_timestamp()
        RETURNING *
    ), freed AS (
        UPDATE seats s SET status = 'A', version = s.version + 1, held_until = NULL, order_id = NULL
        FROM cancelled c WHERE s.event_id = $1 AND s.index = ANY($3::int[]) AND s.order_id = c.id
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("freed")})
    SELECT * FROM cancelled"""


async def cancel_order(
    tx: Transaction,
    *,
    caller_id: UUID,
    any_buyer: bool,
    event_id: UUID,
    order_id: UUID,
    key: Key | None = None,
) -> Order:
    """Cancel a PENDING order and free every seat that still names it.

    A card payment that is open ends with it: what is paid nevertheless goes back. Only its buyer may, unless
    the caller may cancel for `any_buyer`. Refuses an order that is paid, over or
    lapsed with ORDER_INVALID_STATE.
    """
    cancelled_before = await claim(tx, key, made=order_id) is not None
    order = await lock_order(tx, event_id, order_id)
    if order is None or not (any_buyer or order["buyer_id"] == caller_id):
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    if cancelled_before:
        return order_of(order)
    cancelled = await end_hold(tx, order)
    if cancelled is None:
        raise Refused(
            RefusalCode.ORDER_INVALID_STATE, "Only an order that is held and not paid can be cancelled."
        )
    await notify(tx, Notice(cancelled["buyer_id"], NotificationKind.ORDER_CANCELLED, event_id, order_id))
    return order_of(cancelled)


async def end_hold(tx: Transaction, order: Record) -> Record | None:
    """Cancel an order under lock with the card payment that is open for it; None if it is not held now."""
    cancelled = await tx.row(CANCEL, order["event_id"], order["id"], order["indexes"])
    if cancelled is not None:
        await give_up_payment(tx, order)
        tx.changed_events.add(order["event_id"])
    return cancelled
