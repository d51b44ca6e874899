"""An order that still waits to be paid, locked for whoever changes what is in it."""

from uuid import UUID

from asyncpg import Record

from database import Transaction
from steps.locks import lock_order
from steps.pay import not_pending, refuse_while_paid_by_card
from steps.refusals import RefusalCode, Refused
from steps.replay import order_now

HELD = """
    SELECT status = 'PENDING' AND held_until > statement_timestamp() AS in_time
    FROM (SELECT status, held_until FROM orders WHERE event_id = $1 AND id = {} OFFSET 0) o"""
"""Whether an order under lock is held at this moment; the fence keeps the planner to its key."""


async def buyer_of(
    tx: Transaction, caller_id: UUID, event_id: UUID, order_id: UUID, *, any_buyer: bool
) -> UUID:
    """Return whose order it is, without a lock, since that never changes; refuse a stranger's."""
    buyer_id: UUID | None = await tx.value(
        "SELECT buyer_id FROM orders WHERE event_id = $1 AND id = $2", event_id, order_id
    )
    if buyer_id is None or not (any_buyer or buyer_id == caller_id):
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    return buyer_id


async def lock_pending_order(tx: Transaction, event_id: UUID, order_id: UUID) -> Record:
    """Lock an order and its seats; refuse one that is paid or being so, over, or past its time by now."""
    order = await lock_order(tx, event_id, order_id)
    if order is None:
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    if (problem := not_pending((await order_now(tx, event_id, order_id)).status)) is not None:
        raise problem
    await refuse_while_paid_by_card(tx, order)
    return order
