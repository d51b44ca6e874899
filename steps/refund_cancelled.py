"""What is left to do for the orders of an event that was cancelled: each by itself, and once."""

from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.notifications import NotificationKind
from models.orders import order_of
from models.tickets import LIVE, LIVE_TICKET
from steps.cancel import end_hold
from steps.locks import CANCELLATION_DUE, lock_order, lock_tickets_of_order
from steps.notify import Notice, notify
from steps.pay_back import disputed_among, pay_back_tickets

STRAGGLERS_HOURS = 1
"""For how long an order may still come to light whose transaction began before the event was cancelled; none
lives nearly so long."""

CLAIM = f"""
    UPDATE cancellations SET look_at = statement_timestamp() + interval '1 minute'
    WHERE event_id = ({CANCELLATION_DUE}) RETURNING event_id, actor_id"""

LEFT = f"""
    SELECT o.id FROM orders o
    WHERE o.event_id = $1 AND (
        (o.status = 'PENDING' AND o.held_until > statement_timestamp())
        OR (o.status = 'CONFIRMED' AND EXISTS (
            SELECT FROM tickets t WHERE t.event_id = $1 AND t.order_id = o.id AND t.{LIVE_TICKET}
                AND NOT EXISTS (
                    SELECT FROM transfers d
                    WHERE d.event_id = $1 AND d.ticket_id = t.id AND d.status = 'DISPUTED'))))
    ORDER BY o.id LIMIT $2"""
"""$1 event, $2 how many at most."""

LOOK_AGAIN = f"""
    UPDATE cancellations SET look_at = CASE
        WHEN $2 THEN statement_timestamp()
        WHEN cancelled_at > statement_timestamp() - interval '{STRAGGLERS_HOURS} hours'
            OR EXISTS (SELECT FROM tickets t WHERE t.event_id = $1 AND t.{LIVE_TICKET})
            OR EXISTS (SELECT FROM orders WHERE event_id = $1 AND status = 'PENDING')
        THEN statement_timestamp() + interval '1 minute' END
    WHERE event_id = $1"""
"""$1 event, $2 whether there was something to do just now."""


async def claim_cancellation(tx: Transaction) -> Record | None:
    """Take a cancelled event in hand that may have orders left; another round has it in a minute."""
    return await tx.row(CLAIM)


async def orders_left(tx: Transaction, *, event_id: UUID, orders_max: int) -> Sequence[UUID]:
    """Some orders of a cancelled event that hold seats, or have tickets to be paid back."""
    return [row["id"] for row in await tx.rows(LEFT, event_id, orders_max)]


async def refund_cancelled(tx: Transaction, *, actor_id: UUID, event_id: UUID, order_id: UUID) -> bool:
    """End an order of a cancelled event: its hold, or its tickets, which are paid back to whoever owns them.

    Also those that were used. A ticket whose last transfer is disputed waits until the house has decided
    whose it is. Says whether there was anything to do; a second time there is not.
    """
    order = await lock_order(tx, event_id, order_id)
    if order is None:
        return False
    kind = NotificationKind.EVENT_CANCELLED
    if order["status"] == "PENDING":
        ended = await end_hold(tx, order)
        if ended is not None:
            await notify(tx, Notice(ended["buyer_id"], kind, event_id, order_id))
        return ended is not None
    if order["status"] != "CONFIRMED":
        return False
    tickets = await lock_tickets_of_order(tx, event_id, order_id)
    disputed = await disputed_among(tx, event_id, tickets)
    returned = [t for t in tickets if t["status"] in LIVE and t["id"] not in disputed]
    if returned:
        await pay_back_tickets(tx, order_of(order), tickets, returned, actor_id=actor_id, kind=kind)
    return bool(returned)


async def look_again(tx: Transaction, *, event_id: UUID, was_busy: bool) -> None:
    """Say when to look at a cancelled event again: at once, in a minute, or never, once nothing is left."""
    await tx.rows(LOOK_AGAIN, event_id, was_busy)
