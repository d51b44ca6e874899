"""The door: what a scan was told, the log of all scans, and who is inside."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import strawberry

from live.door import Count
from models import door as rows
from schema import ids, later
from schema.context import Info
from schema.enums import VerificationResult
from schema.events import Event
from schema.nodes import Node
from schema.order_inputs import KEY
from schema.refusals import Refusal
from schema.seats import Seat
from schema.tickets import Ticket
from schema.users import Person
from schema.venues import Hall

SENTENCES = {
    VerificationResult.SUCCESS: "Welcome.",
    VerificationResult.DUPLICATE: "This ticket came in already.",
    VerificationResult.UNPAID: "This ticket is not paid yet: its payment is still being confirmed.",
    VerificationResult.NOT_FOUND: "There is no such ticket any more.",
    VerificationResult.WRONG_HALL: "This ticket is for another hall.",
    VerificationResult.EXPIRED: "This code is too old: open the ticket again, and show the new one.",
    VerificationResult.CANCELLED: "This ticket was cancelled or paid back.",
    VerificationResult.WRONG_EVENT: "This ticket is for another event.",
}
_SAYS_MORE = {VerificationResult.DUPLICATE, VerificationResult.WRONG_HALL, VerificationResult.WRONG_EVENT}


@strawberry.type(description="What a door says to a code.")
class Verification:
    result: VerificationResult = strawberry.field(description="The answer; only SUCCESS lets in.")
    scanned_at: datetime = strawberry.field(description="When it was scanned, by the database's clock.")
    row: strawberry.Private[rows.Scan]

    @classmethod
    def of(cls, row: rows.Scan) -> "Verification":
        return cls(result=VerificationResult(row.result), scanned_at=row.scanned_at, row=row)

    @strawberry.field(description="The answer as a sentence for whoever stands there.")
    async def message(self, info: Info) -> str:
        sentence = SENTENCES[self.result]
        if self.result not in _SAYS_MORE:
            return sentence
        event = await self.event(info)
        return f"{sentence[:-1]}{await self._what_more(info, event)}."

    async def _what_more(self, info: Info, event: Event) -> str:
        zone = ZoneInfo(event.row.timezone)
        if self.result == VerificationResult.DUPLICATE:
            first = await self.first_scanned_at(info)
            return f", at {first.astimezone(zone):%H:%M:%S}" if first else ""
        when = f"{event.row.name} on {event.row.starts_at.astimezone(zone):%d.%m.%Y at %H:%M}"
        if self.result == VerificationResult.WRONG_EVENT:
            return f": {when}"
        hall = await event.hall(info)
        return f": go to {hall.name} ({hall.code}), for {when}"

    @strawberry.field(description="The ticket; null for NOT_FOUND.")
    async def ticket(self, info: Info) -> later.Ticket | None:
        is_found = self.result != VerificationResult.NOT_FOUND
        return await _ticket(info, self.row) if is_found else None

    @strawberry.field(description="The ticket's seat; null for NOT_FOUND.")
    async def seat(self, info: Info) -> later.Seat | None:
        ticket = await self.ticket(info)
        return await ticket.seat(info) if ticket else None

    @strawberry.field(description="The event that the ticket is for; for NOT_FOUND the door's.")
    async def event(self, info: Info) -> later.Event:
        of_ticket = self.row.ticket_event_id if self.result != VerificationResult.NOT_FOUND else None
        return await Event.at(info, of_ticket or self.row.event_id)

    @strawberry.field(description="WRONG_HALL: where to go.")
    async def expected_hall(self, info: Info) -> Hall | None:
        is_elsewhere = self.result == VerificationResult.WRONG_HALL
        return await (await self.event(info)).hall(info) if is_elsewhere else None

    @strawberry.field(description="Whose ticket it is, as a name; null for NOT_FOUND.")
    async def owner_name(self, info: Info) -> str | None:
        ticket = await self.ticket(info)
        return await Person.of(ticket.row.owner_id).name(info) if ticket else None

    @strawberry.field(description="DUPLICATE: when the ticket came in.")
    async def first_scanned_at(self, info: Info) -> datetime | None:
        if self.result != VerificationResult.DUPLICATE:
            return None
        first = await info.context.loads.admission.load((self.row.ticket_event_id, self.row.ticket_id))
        return first.scanned_at if first else None


async def _ticket(info: Info, scan: rows.Scan) -> Ticket | None:
    if scan.ticket_id is None:
        return None
    row = await info.context.loads.ticket.load((scan.ticket_event_id, scan.ticket_id))
    return Ticket.of(row) if row else None


@strawberry.type(description="A scan at a door, good or bad.")
class EntryLogEntry(Node):
    result: VerificationResult = strawberry.field(
        description="What the scanner was told; a code that could not be read is NOT_FOUND."
    )
    scanned_at: datetime = strawberry.field(description="When.")
    undone_at: datetime | None = strawberry.field(description="When the admission was taken back, if it was.")
    undo_reason: str | None = strawberry.field(description="Why it was taken back.")
    row: strawberry.Private[rows.Scan]

    @classmethod
    def of(cls, row: rows.Scan) -> "EntryLogEntry":
        return cls(
            id=ids.entry_id(row.event_id, row.id),
            result=VerificationResult(row.result),
            scanned_at=row.scanned_at,
            undone_at=row.undone_at,
            undo_reason=row.undone_reason,
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "EntryLogEntry | None":
        key = ids.read_entry(id)
        row = await info.context.loads.scan.load(key) if info.context.runs_events else None
        return cls.of(row) if row else None

    @strawberry.field(description="Who scanned.")
    async def scanned_by(self) -> Person:
        return Person.of(self.row.scanned_by)

    @strawberry.field(description="Who took the admission back, if somebody did.")
    async def undone_by(self) -> Person | None:
        return Person.of(self.row.undone_by) if self.row.undone_by else None

    @strawberry.field(description="The hall of the door.")
    async def hall(self, info: Info) -> Hall | None:
        row = await info.context.loads.hall.load((self.row.hall_id,))
        return Hall.of(row) if row else None

    @strawberry.field(description="The event that the door admitted to.")
    async def event(self, info: Info) -> later.Event | None:
        return await Event.visible(info, self.row.event_id)

    @strawberry.field(description="The seat of the ticket, if one was found.")
    async def seat(self, info: Info) -> later.Seat | None:
        ticket = await _ticket(info, self.row)
        return await Seat.at(info, ticket.row.event_id, ticket.row.index) if ticket else None

    @strawberry.field(description="The ticket, if one was found and was not deleted since.")
    async def ticket(self, info: Info) -> later.Ticket | None:
        return await _ticket(info, self.row)


@strawberry.type(description="How full a section is.")
class DoorCount:
    section: str = strawberry.field(description="The section; for general admission its tier's name.")
    inside: int = strawberry.field(description="How many are inside.")
    expected: int = strawberry.field(description="How many have a ticket, those inside among them.")

    @classmethod
    def of(cls, count: Count) -> "DoorCount":
        return cls(section=count.section, inside=count.inside, expected=count.expected)


@strawberry.input(description="A code that was scanned, and where.")
class VerifyTicketInput:
    qr_payload: str = strawberry.field(description="What the code says.")
    hall_id: strawberry.ID | None = strawberry.field(default=None, description="The hall of this door.")
    hall_code: str | None = strawberry.field(
        default=None, description="Its code, in place of `hallId`, where no other hall has the same."
    )
    event_id: strawberry.ID | None = strawberry.field(
        default=None, description="Which event this door admits to; null: the hall's next one."
    )
    dry_run: bool = strawberry.field(default=False, description="Look, admit nobody, log nothing.")
    idempotency_key: str | None = strawberry.field(
        default=None, description=f"{KEY} So a scanner that lost the answer is not told DUPLICATE."
    )


@strawberry.input(description="An admission to take back.")
class UndoCheckInInput:
    ticket_id: strawberry.ID = strawberry.field(description="The ticket that was let in.")
    reason: str = strawberry.field(description="Why, in up to 500 characters; the log keeps it.")


VerifyTicketResult = Annotated[
    Verification | Refusal,
    strawberry.union("VerifyTicketResult", description="What the door says, or why it says nothing."),
]
