"""Pays everybody back whose event was cancelled, some orders at a time, and goes on where it was stopped."""

import logging

from database import Database
from steps.refund_cancelled import claim_cancellation, look_again, orders_left, refund_cancelled
from steps.refusals import Refused
from steps.transact import transact

log = logging.getLogger("rowlock.cancellations")

ORDERS_MAX = 50


async def refund_cancelled_once(database: Database) -> int:
    """End some orders of a cancelled event, at most 50, each by itself; return how many were left."""
    cancelled = await transact(database, claim_cancellation)
    if cancelled is None:
        return 0
    event_id = cancelled["event_id"]
    left = await transact(database, orders_left, event_id=event_id, orders_max=ORDERS_MAX)
    named = {"actor_id": cancelled["actor_id"], "event_id": event_id}
    for order_id in left:
        try:
            await transact(database, refund_cancelled, **named, order_id=order_id)
        except Refused as refusal:
            log.warning("order %s of the cancelled event %s: %s", order_id, event_id, refusal)
    await transact(database, look_again, event_id=event_id, was_busy=bool(left))
    return len(left)
