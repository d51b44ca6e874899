"""The scan at the door: one answer for each code, and at most one admission for a ticket."""

from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from auth.qr_codes import QrCode
from database import Transaction
from models.announcements import AnnouncementKind
from models.columns import new_id
from models.door import Scan, VerificationResult, scan_of
from models.topics import order_topic
from steps.announce import announcements_of
from steps.idempotency import Key, claim
from steps.locks import TICKET_AND_ITS_SEAT
from steps.outbox import log_of
from steps.refusals import RefusalCode, Refused, invalid

NO_DOOR = "Say which hall this door is in, or which event it admits to."
MANY_HALLS = "There are halls with this code in several houses: name the hall by its id."
TAKEN_BACK = "This admission was taken back since; scan the code again."

TICKET = "SELECT * FROM tickets WHERE event_id = $1 AND id = $2"

FACTS = """
    WITH ticket AS MATERIALIZED ({ticket}
    ), asked AS (
        SELECT id, hall_id FROM events WHERE id = $5 AND status <> 'DRAFT'
    ), hall AS (
        SELECT id FROM halls WHERE id = $3
        UNION ALL SELECT id FROM halls WHERE $3::uuid IS NULL AND code = $4
        UNION ALL SELECT hall_id FROM asked WHERE $3::uuid IS NULL AND $4::text IS NULL
    ), next_one AS (
        SELECT id FROM events
        WHERE $5::uuid IS NULL AND hall_id = (SELECT id FROM hall LIMIT 1) AND status = 'PUBLISHED'
            AND ends_at > statement_timestamp()
        ORDER BY ends_at LIMIT 1
    )
    SELECT statement_timestamp() AS now, ARRAY(SELECT id FROM hall LIMIT 2) AS halls,
        coalesce((SELECT id FROM asked), (SELECT id FROM next_one)) AS event_id,
        t.status, t.version, e.hall_id AS hall_of_ticket, e.status AS event_of_ticket_status
    FROM (SELECT) AS one LEFT JOIN ticket t ON true LEFT JOIN events e ON e.id = t.event_id"""
"""Of a ticket ($1 event, $2 ticket) and a door: $3 hall, $4 a hall's code, $5 the event that it admits to."""
FACTS_LOCKED = FACTS.format(ticket=TICKET_AND_ITS_SEAT)
FACTS_UNLOCKED = FACTS.format(ticket=TICKET)

CHECKED_IN = f"'{AnnouncementKind.TICKET_CHECKED_IN}'"
NOTE = f"""
    WITH admitted AS (
        UPDATE tickets SET status = 'CHECKED_IN'
        WHERE event_id = $1 AND id = $7 AND $5 = 'SUCCESS' RETURNING *
    ), taken AS (
        UPDATE seats SET status = 'C', version = version + 1
        WHERE event_id = $1 AND index = (SELECT index FROM admitted) AND status = 'S'
        RETURNING event_id, index, version, status
    ), logged AS ({log_of("taken")}
    ), announced AS ({announcements_of("admitted", CHECKED_IN, "$8::uuid[]")})
    INSERT INTO scans (event_id, id, scanned_by, hall_id, result, ticket_event_id, ticket_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    RETURNING *, (SELECT count(*) FROM taken) AS seats_taken, (SELECT order_id FROM admitted) AS order_id"""
"""$1 event of the door, $2 scan, $3 who scans, $4 hall, $5 result, $6 event of the ticket, $7 ticket,
$8 an id for the announcement."""


@dataclass(frozen=True)
class Door:
    """Where a scanner stands: a hall, by its id or else its code, and the event that is admitted to.

    Without a hall it is the event's; without an event it is the hall's next one.
    """

    hall_id: UUID | None = None
    hall_code: str | None = None
    event_id: UUID | None = None


async def verify_ticket(
    tx: Transaction,
    *,
    scanner_id: UUID,
    door: Door,
    code: QrCode | None,
    dry_run: bool = False,
    key: Key | None = None,
) -> Scan | Refused:
    """Answer a scan, let the ticket in if the answer is SUCCESS, and keep a row of it; a dry run only looks.

    `code` is None for one that could not be read: it is refused with QR_INVALID, and its row stays. Refuses a
    door that there is not with HALL_NOT_FOUND or EVENT_NOT_FOUND, and keeps no row of it.
    """
    scan_id = new_id()
    if not dry_run and (noted_before := await claim(tx, key, made=scan_id)) is not None:
        return await _said_before(tx, noted_before)
    facts = await _facts(tx, door, code, locked=not dry_run)
    ticket_event_id, ticket_id = (code.event_id, code.ticket_id) if code else (None, None)
    event_id = facts["event_id"] or ticket_event_id
    if event_id is None:
        return Refused(RefusalCode.QR_INVALID)  # none at this door and none in the code: nowhere to write it
    scan = Scan(
        event_id=event_id,
        id=scan_id,
        scanned_by=scanner_id,
        hall_id=facts["halls"][0],
        result=result_of(facts, code).value,
        ticket_event_id=ticket_event_id,
        ticket_id=ticket_id,
        scanned_at=facts["now"],
    )
    return _answer(scan if dry_run else await _noted(tx, scan))


def result_of(facts: Record, code: QrCode | None) -> VerificationResult:
    """What a door says to a code, from the facts of both: first what no other code of the ticket would mend.

    So EXPIRED is said only where a fresh code would be let in.
    """
    if code is None or facts["status"] is None:
        return VerificationResult.NOT_FOUND
    if facts["status"] in {"CANCELLED", "REFUNDED"} or facts["event_of_ticket_status"] == "CANCELLED":
        return VerificationResult.CANCELLED
    if facts["version"] != code.version:
        return VerificationResult.NOT_FOUND
    if facts["hall_of_ticket"] != facts["halls"][0]:
        return VerificationResult.WRONG_HALL
    if code.event_id != facts["event_id"]:
        return VerificationResult.WRONG_EVENT
    if facts["status"] == "PENDING":
        return VerificationResult.UNPAID
    if facts["status"] == "CHECKED_IN":
        return VerificationResult.DUPLICATE
    return VerificationResult.EXPIRED if code.expires_at <= facts["now"] else VerificationResult.SUCCESS


async def _facts(tx: Transaction, door: Door, code: QrCode | None, *, locked: bool) -> Record:
    """What there is to know of a door and a ticket, the latter under lock, or a refusal of the door."""
    if door == Door():
        raise invalid("input.hallId", NO_DOOR)
    ticket = (code.event_id, code.ticket_id) if code else (None, None)
    statement = FACTS_LOCKED if locked else FACTS_UNLOCKED
    facts = await tx.row(statement, *ticket, door.hall_id, door.hall_code, door.event_id)
    assert facts is not None, "there is one answer"
    if door.event_id is not None and facts["event_id"] is None:
        raise Refused(RefusalCode.EVENT_NOT_FOUND)
    if not facts["halls"]:
        raise Refused(RefusalCode.HALL_NOT_FOUND)
    if len(facts["halls"]) > 1:
        raise invalid("input.hallCode", MANY_HALLS)
    return facts


async def _noted(tx: Transaction, scan: Scan) -> Scan:
    """Write a scan down, and what it means for the ticket and its seat."""
    ticket = scan.ticket_event_id, scan.ticket_id
    row = await tx.row(
        NOTE, scan.event_id, scan.id, scan.scanned_by, scan.hall_id, scan.result, *ticket, [new_id()]
    )
    assert row is not None, "what is written is returned"
    is_admitted = scan.result == VerificationResult.SUCCESS
    assert row["seats_taken"] == is_admitted, "the seat of an ACTIVE ticket is sold"
    if is_admitted:
        tx.changed_events.add(scan.event_id)
        tx.touched.add(order_topic(scan.event_id, row["order_id"]))
    return scan_of(row)


async def _said_before(tx: Transaction, scan_id: UUID) -> Scan | Refused:
    """What the key's first scan was told; a SUCCESS that was taken back since is none any more."""
    row = await tx.row("SELECT * FROM scans WHERE id = $1", scan_id)
    if row is None:
        return Refused(RefusalCode.QR_INVALID)
    if row["undone_at"] is not None:
        raise Refused(RefusalCode.TICKET_INVALID_STATE, TAKEN_BACK)
    return _answer(scan_of(row))


def _answer(scan: Scan) -> Scan | Refused:
    """A scan, or the refusal that stands for a code that could not be read."""
    return scan if scan.ticket_id else Refused(RefusalCode.QR_INVALID)
