"""Whether a ticket may change hands now, and whether its buyer may have it."""

from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.transfers import DONE, TRANSFERS_NOW
from steps.hold import SEATS_OF_BUYER
from steps.refusals import RefusalCode, Refused

FACTS = f"""
    SELECT e.status = 'PUBLISHED' AS takes_place,
        e.starts_at - make_interval(mins => $3) > statement_timestamp() AS in_time,
        (SELECT count(*) FROM transfers t
         WHERE t.event_id = $1 AND t.ticket_id = $2 AND t.{DONE}) AS times,
        EXISTS (SELECT FROM transfers t
         WHERE t.event_id = $1 AND t.ticket_id = $2 AND t.status = 'DISPUTED') AS is_disputed,
        EXISTS (SELECT FROM {TRANSFERS_NOW} t
         WHERE t.event_id = $1 AND t.ticket_id = $2 AND t.status = 'PENDING_OTP') AS is_pending
    FROM events e WHERE e.id = $1"""
"""What a transfer depends on, at this moment: $1 event, $2 ticket, $3 minutes before it begins."""

SEATS = f"SELECT ({SEATS_OF_BUYER}) FROM (SELECT $2::uuid AS buyer_id) w"
"""How many seats a person has: $1 event, $2 person."""


@dataclass(frozen=True)
class TransferRules:
    """For how long a transfer waits for its codes, until when and how often a ticket may change hands."""

    seconds: int
    closes_minutes: int
    transfers_per_ticket_max: int
    seats_per_buyer_max: int


async def transfer_facts(tx: Transaction, ticket: Record, *, closes_minutes: int = 0) -> Record:
    """Read what the transfer of a ticket, which is locked, depends on; refuse if it may not change hands."""
    facts = await tx.row(FACTS, ticket["event_id"], ticket["id"], closes_minutes)
    assert facts is not None, "a ticket's event is there"
    if ticket["status"] != "ACTIVE":
        raise Refused(RefusalCode.TICKET_INVALID_STATE, "Only a ticket that is paid and not used can go.")
    if not (facts["takes_place"] and facts["in_time"]):
        raise Refused(RefusalCode.TRANSFER_NOT_ALLOWED, "The time to transfer tickets of this event is over.")
    if facts["is_disputed"]:
        raise Refused(RefusalCode.TRANSFER_NOT_ALLOWED, "The last transfer of this ticket is disputed.")
    return facts


async def refuse_too_many_seats(tx: Transaction, event_id: UUID, buyer_id: UUID, most: int) -> None:
    """Refuse one more seat to a buyer who has as many as one may have; sure only while they are locked."""
    if await tx.value(SEATS, event_id, buyer_id) >= most:
        raise Refused(
            RefusalCode.TOO_MANY_SEATS, "The buyer would have more seats than one may have at this event."
        )
