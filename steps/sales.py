"""What an event's facts say about selling it now, and the refusals that follow."""

from uuid import UUID

from asyncpg import Record

from database import Transaction
from steps.refusals import RefusalCode, Refused

EVENT_FACTS = """
    SELECT status, total_seats, currency, ends_at <= statement_timestamp() AS is_over,
        coalesce(sales_start_at <= statement_timestamp(), true)
            AND coalesce(sales_end_at > statement_timestamp(), true) AS in_sales_time
    FROM events WHERE id = $1"""
"""What the sale of an event depends on, at this moment: $1 event."""

IS_ON_SALE = "(e.status = 'PUBLISHED' AND NOT e.is_over AND e.in_sales_time)"
"""The same decision as `refuse_unless_on_sale`, for a statement that has the facts as `e`."""


async def event_on_sale(tx: Transaction, event_id: UUID) -> Record:
    """Read the facts of an event that is on sale now, or refuse."""
    facts = await tx.row(EVENT_FACTS, event_id)
    if facts is None:
        raise Refused(RefusalCode.EVENT_NOT_FOUND)
    refuse_unless_on_sale(facts)
    return facts


def refuse_unless_on_sale(facts: Record) -> None:
    """Refuse an event that nobody can see, that is over, cancelled, or not in its time of sale."""
    if facts["status"] in {None, "DRAFT"}:
        raise Refused(RefusalCode.EVENT_NOT_FOUND)
    refuse_if_over(facts)
    if not facts["in_sales_time"]:
        raise Refused(RefusalCode.EVENT_NOT_ON_SALE)


def refuse_if_over(facts: Record) -> None:
    """Refuse an event that was cancelled or is over; what is held may be paid after the sale's end."""
    if facts["status"] == "CANCELLED":
        raise Refused(RefusalCode.EVENT_NOT_ON_SALE, "The event is cancelled.")
    if facts["is_over"] or facts["status"] == "ENDED":
        raise Refused(RefusalCode.EVENT_ENDED)
