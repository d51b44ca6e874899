"""Forget a person, and keep the books."""

from uuid import UUID

from database import Transaction
from models.columns import plain_row
from models.notifications import NotificationKind
from models.sessions import SessionEnd
from models.tickets import LIVE_TICKET
from models.topics import transfer_topic
from models.transfers import Transfer
from steps.end_sessions import end_sessions
from steps.notify import notify, of_transfer
from steps.person_locks import lock_cart, lock_held_orders, lock_user
from steps.refusals import RefusalCode, Refused

HAS_TICKETS = f"""
    SELECT EXISTS (
        SELECT FROM tickets t JOIN events e ON e.id = t.event_id
        WHERE t.owner_id = $1 AND t.{LIVE_TICKET} AND e.ends_at > statement_timestamp()
    ) OR EXISTS (
        SELECT FROM orders
        WHERE buyer_id = $1 AND status = 'PENDING' AND held_until > statement_timestamp())"""

IN_DISPUTE = """
    SELECT EXISTS (
        SELECT FROM transfers WHERE status = 'DISPUTED' AND (seller_id = $1 OR buyer_id = $1))"""

# Whoever confirms such a transfer now is waited for, so that the next statement sees the ticket.
CANCEL_TRANSFERS = """
    UPDATE transfers SET status = 'CANCELLED' WHERE buyer_id = $1 AND status = 'PENDING_OTP' RETURNING *"""

# The person goes first: that waits for whoever notifies them now, and what they wrote is erased after it.
ERASE = (
    "DELETE FROM users WHERE id = $1",
    "UPDATE sessions SET device = '' WHERE user_id = $1",
    "DELETE FROM cart_items WHERE user_id = $1",
    "DELETE FROM carts WHERE user_id = $1",
    "DELETE FROM idempotency_keys WHERE user_id = $1",
    "DELETE FROM codes WHERE user_id = $1",
    "DELETE FROM notification_preferences WHERE user_id = $1",
    "DELETE FROM notifications WHERE user_id = $1",
    "DELETE FROM deliveries WHERE owner_id = $1",
)


async def delete_user(tx: Transaction, *, user_id: UUID) -> UUID:
    """Erase who a person is, with codes, cart and notifications; orders and the books stay.

    What others were about to transfer to them is cancelled. Refuses while they own tickets to an event to
    come, hold seats, or have sold or bought what is disputed, which could not be undone without them
    (USER_HAS_TICKETS).
    """
    # A checkout is waited for, so that its orders are seen, and none begins.
    await lock_cart(tx, user_id)
    # Whoever pays for a held order now is waited for, so that the next statement sees the tickets.
    await lock_held_orders(tx, user_id)
    ended = [plain_row(Transfer, row) for row in await tx.rows(CANCEL_TRANSFERS, user_id)]
    tx.touched.update(transfer_topic(transfer.event_id, transfer.id) for transfer in ended)
    if await lock_user(tx, user_id) is None:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    if await tx.value(HAS_TICKETS, user_id):
        raise Refused(RefusalCode.USER_HAS_TICKETS)
    if await tx.value(IN_DISPUTE, user_id):
        raise Refused(RefusalCode.USER_HAS_TICKETS, "A transfer of this account is disputed.")
    kind = NotificationKind.TRANSFER_FAILED
    await notify(tx, *(notice for t in ended for notice in of_transfer(kind, t, t.seller_id)))
    # The sessions themselves stay for some days, so that every process learns that they have ended.
    await end_sessions(tx, user_id, SessionEnd.DELETED)
    for statement in ERASE:
        await tx.rows(statement, user_id)
    return user_id
