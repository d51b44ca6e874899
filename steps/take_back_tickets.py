"""Takes back the tickets of orders that were being paid by card, and are so no longer."""

from collections.abc import Sequence
from uuid import UUID

from database import Transaction
from models.topics import order_topic

TAKE_BACK = """
    UPDATE tickets SET status = 'CANCELLED', version = version + 1, ended_at = statement_timestamp()
    WHERE event_id = $1 AND order_id = ANY($2::uuid[]) AND status = 'PENDING'"""

# The OFFSET 0 keeps the planner to looking for each ticket by its seat, also on tables that were empty.
TAKE_BACK_LAPSED = """
    UPDATE tickets SET status = 'CANCELLED', version = version + 1, ended_at = statement_timestamp()
    WHERE event_id = $1 AND id = ANY(ARRAY(
        SELECT t.id FROM unnest($2::int[]) AS taken (index) CROSS JOIN LATERAL (
            SELECT id, order_id FROM tickets
            WHERE event_id = $1 AND index = taken.index AND status = 'PENDING' OFFSET 0) t
        WHERE t.order_id <> ALL($3::uuid[])))
    RETURNING order_id"""


async def take_back_lapsed(
    tx: Transaction, event_id: UUID, indexes: Sequence[int], order_ids: Sequence[UUID]
) -> None:
    """Take back the PENDING tickets that others than these orders have for seats that these now hold.

    Whoever has the lock on a seat decides over such a ticket, so nobody waits for it.
    """
    for ticket in await tx.rows(TAKE_BACK_LAPSED, event_id, indexes, order_ids):
        tx.touched.add(order_topic(event_id, ticket["order_id"]))


async def take_back_of_orders(tx: Transaction, event_id: UUID, order_ids: Sequence[UUID]) -> None:
    """Take back the PENDING tickets of these orders, which are under lock."""
    await tx.rows(TAKE_BACK, event_id, order_ids)
