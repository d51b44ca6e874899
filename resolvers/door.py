"""The door: scanning codes, taking admissions back, the log of it all, and a screen that counts."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from dataloaders.pages import PageArguments
from live.door import DoorTally
from schema import ids
from schema.context import Info
from schema.door import (
    DoorCount,
    EntryLogEntry,
    UndoCheckInInput,
    Verification,
    VerifyTicketInput,
    VerifyTicketResult,
)
from schema.enums import EventStatus
from schema.errors import not_found
from schema.filters import EntryLogFilter, scans_listing
from schema.pages import After, Before, Connection, First, Last, connect
from schema.tickets import TicketPayload, TicketResult
from steps.check_in import Door, verify_ticket
from steps.undo_check_in import undo_check_in


@strawberry.type
class DoorQueries:
    @strawberry.field(description="Every scan at every door, the newest first. OPERATOR, ADMIN.")
    async def entry_log(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[EntryLogFilter | None, strawberry.argument(description="Only these scans.")] = None,
    ) -> Connection[EntryLogEntry] | None:
        info.context.require_operator()
        listing = scans_listing(filter or EntryLogFilter())
        return await connect(info, listing, EntryLogEntry.of, PageArguments(first, after, last, before))


@strawberry.type
class DoorMutations:
    @strawberry.mutation(
        description="Scan a code: let its ticket in, or say why not. STAFF, OPERATOR, ADMIN."
    )
    async def verify_ticket(
        self,
        info: Info,
        input: Annotated[VerifyTicketInput, strawberry.argument(description="What was scanned, and where.")],
    ) -> VerifyTicketResult:
        scanner = info.context.require_staff()
        door = Door(
            ids.read_hall(input.hall_id) if input.hall_id is not None else None,
            input.hall_code,
            ids.read_event(input.event_id) if input.event_id is not None else None,
        )
        scan = await info.context.transact(
            verify_ticket,
            scanner_id=scanner.id,
            door=door,
            code=info.context.house.qr_codes.read(input.qr_payload),
            dry_run=input.dry_run,
            key=info.context.key("verifyTicket", input.idempotency_key, door=door, code=input.qr_payload),
        )
        return Verification.of(scan)

    @strawberry.mutation(description="Take an admission back, with a reason. OPERATOR, ADMIN.")
    async def undo_check_in(
        self,
        info: Info,
        input: Annotated[UndoCheckInInput, strawberry.argument(description="Whose, and why.")],
    ) -> TicketResult:
        actor, (event_id, ticket_id) = info.context.require_operator(), ids.read_ticket(input.ticket_id)
        ticket = await info.context.transact(
            undo_check_in, actor_id=actor.id, event_id=event_id, ticket_id=ticket_id, reason=input.reason
        )
        return TicketPayload.of(ticket)


@strawberry.type
class DoorSubscriptions:
    @strawberry.subscription(
        description="Who is inside, by section: at once, and whenever it changes. STAFF, OPERATOR, ADMIN."
    )
    async def door_counts(
        self,
        info: Info,
        event_id: Annotated[strawberry.ID, strawberry.argument(description="The event.")],
    ) -> AsyncGenerator[list[DoorCount], None]:
        event = ids.read_event(event_id)
        info.context.require_staff()
        row = await info.context.loads.event.load((event,))
        if row is None or row.status == EventStatus.DRAFT:
            raise not_found("event")
        sections = await info.context.loads.sections.load(event)
        tally = DoorTally((record["section"], record["seats"]) for record in sections)
        async with info.context.house.hub.watch(event) as updates:
            async for update in updates:
                counts = tally.take(update)
                if counts is not None:
                    yield [DoorCount.of(count) for count in counts]
