"""Doors to test with: the codes of tickets, and scanners that read them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from auth.qr_codes import QrCode, QrCodes
from database import Database
from models.catalogue import Event
from models.columns import new_id
from models.door import Scan
from models.users import User
from settings import read_settings
from steps.check_in import Door, verify_ticket
from steps.idempotency import Key
from steps.transact import transact
from steps.undo_check_in import undo_check_in
from tests.world import hold, new_event, new_user, pay

CODES = QrCodes(read_settings())
SCANNER = new_id()


async def a_ticket(database: Database, event: Event | None = None, index: int = 0) -> tuple[User, Record]:
    """Somebody with 90.00, and the ticket that they paid for."""
    event = event or await new_event(database)
    owner = await new_user(database, credits_minor=9_000)
    await pay(database, owner, await hold(database, owner, event, [index]))
    return owner, await ticket_at(database, event.id, index)


async def ticket_at(database: Database, event_id: UUID, index: int = 0) -> Record:
    """The live ticket of a seat."""
    (ticket,) = await database.rows(
        """SELECT t.*, statement_timestamp() AS now FROM tickets t WHERE event_id = $1 AND index = $2
           AND status IN ('PENDING', 'ACTIVE', 'CHECKED_IN')""",
        event_id,
        index,
    )
    return ticket


def code_of(ticket: Record, **changes: Any) -> QrCode:
    """The code that the ticket had when it was read."""
    code, _ = CODES.issue(ticket["event_id"], ticket["id"], ticket["version"], ticket["now"])
    return replace(code, **changes)


def too_old(code: QrCode) -> QrCode:
    """The same code, of which the time is over at this moment."""
    return replace(code, expires_at=code.issued_at - timedelta(microseconds=1))


async def scan(
    database: Database,
    code: QrCode | None,
    door: Door,
    *,
    scanner_id: UUID = SCANNER,
    dry_run: bool = False,
    key: Key | None = None,
) -> Scan:
    """Scan as `verifyTicket` does."""
    return await transact(
        database, verify_ticket, scanner_id=scanner_id, door=door, code=code, dry_run=dry_run, key=key
    )


async def checked_in(database: Database, ticket: Record) -> Scan:
    """Let a ticket in at the door of its event."""
    admitted = await scan(database, code_of(ticket), Door(event_id=ticket["event_id"]))
    assert admitted.result == "SUCCESS"
    return admitted


async def undone(database: Database, ticket: Record, actor_id: UUID = SCANNER, reason: str = "Left") -> None:
    """Take an admission back as `undoCheckIn` does."""
    event_id, ticket_id = ticket["event_id"], ticket["id"]
    await transact(
        database, undo_check_in, actor_id=actor_id, event_id=event_id, ticket_id=ticket_id, reason=reason
    )


async def scans(database: Database) -> list[Record]:
    """The log, in its order."""
    return [*await database.rows("SELECT * FROM scans ORDER BY id")]


def here_to(ticket: Record) -> Door:
    """The door of the event that a ticket is for."""
    return Door(event_id=ticket["event_id"])
