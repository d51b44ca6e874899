"""What a door says to a code: one answer for each, a row for each scan, and nothing else but for SUCCESS."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from asyncpg import Record

from auth.qr_codes import QrCode
from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.door import Scan
from steps.check_in import Door
from steps.create_catalogue import create_event
from steps.idempotency import Key
from steps.publish import publish_event
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.doors import SCANNER, a_ticket, checked_in, code_of, scan, scans, ticket_at, too_old
from tests.world import details, everything, letters, new_draft, new_event, new_hall, priced, refusal_of


def here(ticket: Record) -> Door:
    """A door of the ticket's own event."""
    return Door(event_id=ticket["event_id"])


async def change(database: Database, *statements: str) -> None:
    async with database.transaction() as tx:
        for statement in statements:
            await tx.rows(statement)


async def but_for_the_log(database: Database) -> dict[str, list[str]]:
    rows = (await everything(database)).rows
    return {table: found for table, found in rows.items() if table not in {"scans", "idempotency_keys"}}


async def event_in(database: Database, event: Event, starts_in: timedelta) -> Event:
    """Another published event in the same hall."""
    starts_at = datetime.now(UTC) + starts_in
    what = details(event.hall_id, name="Evening", starts_at=starts_at, ends_at=starts_at + timedelta(hours=3))
    draft = await transact(database, create_event, details=what, plan=await priced())
    return await transact(database, publish_event, event_id=draft.id)


async def assert_told(database: Database, ticket: Record, code: QrCode, door: Door, told: str) -> Scan:
    """A dry run says it and leaves nothing; a scan says it and leaves its row, and nothing else."""
    before = await everything(database)
    assert (await scan(database, code, door, dry_run=True)).result == told
    assert await everything(database) == before
    rest, logged = await but_for_the_log(database), len(await scans(database))
    found = await scan(database, code, door)
    assert found.result == told
    assert await but_for_the_log(database) == rest
    row = (await scans(database))[-1]
    assert len(await scans(database)) == logged + 1
    assert (row["result"], row["scanned_by"], row["id"]) == (told, SCANNER, found.id)
    assert (row["ticket_event_id"], row["ticket_id"]) == (ticket["event_id"], ticket["id"])
    return found


async def test_a_good_code_lets_its_ticket_in(database: Database) -> None:
    _, ticket = await a_ticket(database)
    before = await everything(database)
    assert (await scan(database, code_of(ticket), here(ticket), dry_run=True)).result == "SUCCESS"
    assert await everything(database) == before
    found = await checked_in(database, ticket)
    assert await letters(database, Event(id=ticket["event_id"])) == "C" + "A" * 9
    after = await ticket_at(database, ticket["event_id"])
    assert (after["status"], after["version"]) == ("CHECKED_IN", ticket["version"])
    (change,) = await database.rows("SELECT index, status FROM seat_changes WHERE version = 3")
    assert tuple(change) == (0, "C")
    (row,) = await scans(database)
    assert (row["id"], row["event_id"], row["result"]) == (found.id, ticket["event_id"], "SUCCESS")
    assert (row["scanned_by"], row["scanned_at"]) == (SCANNER, found.scanned_at)
    assert await violations(database) == []


async def test_a_ticket_that_is_inside_is_a_duplicate(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await checked_in(database, ticket)
    await assert_told(database, ticket, code_of(ticket), here(ticket), "DUPLICATE")
    await assert_told(database, ticket, too_old(code_of(ticket)), here(ticket), "DUPLICATE")
    assert await violations(database) == []


async def test_a_ticket_whose_payment_is_not_confirmed_is_unpaid(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await change(database, "UPDATE tickets SET status = 'PENDING'")
    await assert_told(database, ticket, code_of(ticket), here(ticket), "UNPAID")


async def test_a_code_of_before_a_change_of_hands_is_not_found(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await change(database, "UPDATE tickets SET version = version + 1, owner_id = gen_random_uuid()")
    await assert_told(database, ticket, code_of(ticket), here(ticket), "NOT_FOUND")
    await assert_told(database, ticket, code_of(ticket, version=9), here(ticket), "NOT_FOUND")


async def test_a_ticket_that_is_no_more_is_not_found(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await change(database, "DELETE FROM tickets")
    await assert_told(database, ticket, code_of(ticket), here(ticket), "NOT_FOUND")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tickets SET status = 'CANCELLED', version = version + 1",
        "UPDATE tickets SET status = 'REFUNDED', version = version + 1",
        "UPDATE events SET status = 'CANCELLED'",
    ],
)
async def test_a_ticket_that_was_given_back_is_cancelled(database: Database, statement: str) -> None:
    _, ticket = await a_ticket(database)
    await change(database, statement)
    await assert_told(database, ticket, code_of(ticket), here(ticket), "CANCELLED")


async def test_a_code_whose_time_is_over_is_expired(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await assert_told(database, ticket, too_old(code_of(ticket)), here(ticket), "EXPIRED")


async def test_a_ticket_for_another_hall_is_sent_there(database: Database) -> None:
    _, ticket = await a_ticket(database)
    other, empty = await new_event(database), await new_hall(database)
    for door in (
        Door(event_id=other.id),
        Door(hall_id=other.hall_id),
        Door(hall_id=empty),
        Door(hall_id=other.hall_id, event_id=ticket["event_id"]),
    ):
        found = await assert_told(database, ticket, code_of(ticket), door, "WRONG_HALL")
        assert found.hall_id == (door.hall_id or other.hall_id)
        expected = door.event_id or (other.id if door.hall_id == other.hall_id else ticket["event_id"])
        assert found.event_id == expected


async def test_the_matinees_ticket_is_for_another_event_in_the_evening(database: Database) -> None:
    matinee = await new_event(database)
    _, ticket = await a_ticket(database, matinee)
    evening = await event_in(database, matinee, timedelta(days=30, hours=4))
    await assert_told(database, ticket, code_of(ticket), Door(event_id=evening.id), "WRONG_EVENT")


async def test_a_hall_admits_to_its_next_event(database: Database) -> None:
    later = await new_event(database)
    sooner = await event_in(database, later, timedelta(days=1))
    cancelled = await event_in(database, later, timedelta(hours=1))
    await change(database, f"UPDATE events SET status = 'CANCELLED' WHERE id = '{cancelled.id}'")
    _, early = await a_ticket(database, sooner)
    _, late = await a_ticket(database, later)
    door = Door(hall_id=later.hall_id)
    await assert_told(database, late, code_of(late), door, "WRONG_EVENT")
    assert (await scan(database, code_of(early), door)).result == "SUCCESS"
    await change(
        database,
        f"""UPDATE events SET starts_at = starts_at - interval '2 days', ends_at = ends_at - interval '2 days'
            WHERE id = '{sooner.id}'""",
    )
    assert (await scan(database, code_of(late), door)).result == "SUCCESS"


async def test_what_a_fresh_code_would_not_mend_is_said_first(database: Database) -> None:
    """Each line makes it worse than the one before, so each answer comes before those above it."""
    _, ticket = await a_ticket(database)
    other, elsewhere = await new_event(database), Door(hall_id=await new_hall(database))
    same_hall = Door(hall_id=await hall_of(database, ticket), event_id=other.id)
    old = too_old(code_of(ticket))
    await assert_told(database, ticket, old, here(ticket), "EXPIRED")
    await checked_in(database, ticket)
    await assert_told(database, ticket, old, here(ticket), "DUPLICATE")
    await change(database, "UPDATE tickets SET status = 'PENDING'")
    await assert_told(database, ticket, old, here(ticket), "UNPAID")
    await assert_told(database, ticket, old, same_hall, "WRONG_EVENT")
    await assert_told(database, ticket, old, elsewhere, "WRONG_HALL")
    await change(database, "UPDATE tickets SET version = version + 1")
    await assert_told(database, ticket, old, elsewhere, "NOT_FOUND")
    await change(database, "UPDATE tickets SET status = 'REFUNDED'")
    await assert_told(database, ticket, old, elsewhere, "CANCELLED")
    await change(database, "DELETE FROM tickets")
    await assert_told(database, ticket, old, elsewhere, "NOT_FOUND")


async def hall_of(database: Database, ticket: Record) -> UUID:
    (event,) = await database.rows("SELECT hall_id FROM events WHERE id = $1", ticket["event_id"])
    found: UUID = event["hall_id"]
    return found


async def test_a_code_that_cannot_be_read_is_refused_and_its_row_stays(database: Database) -> None:
    event = await new_event(database)
    door, before = Door(hall_id=event.hall_id), await everything(database)
    assert (await refusal_of(scan(database, None, door, dry_run=True))).code is RefusalCode.QR_INVALID
    assert await everything(database) == before
    rest = await but_for_the_log(database)
    assert (await refusal_of(scan(database, None, door))).code is RefusalCode.QR_INVALID
    assert await but_for_the_log(database) == rest
    (row,) = await scans(database)
    assert (row["event_id"], row["hall_id"], row["result"]) == (event.id, event.hall_id, "NOT_FOUND")
    assert (row["ticket_event_id"], row["ticket_id"]) == (None, None)


async def test_a_code_that_cannot_be_read_at_a_door_without_an_event_has_nowhere_to_be_written(
    database: Database,
) -> None:
    door, before = Door(hall_id=await new_hall(database)), await everything(database)
    assert (await refusal_of(scan(database, None, door))).code is RefusalCode.QR_INVALID
    assert await everything(database) == before
    key = Key.of(SCANNER, "verifyTicket", "a retry", {})
    for _ in range(2):
        assert (await refusal_of(scan(database, None, door, key=key))).code is RefusalCode.QR_INVALID
    assert await scans(database) == []


async def test_a_hall_is_found_by_its_code_where_no_other_has_it(database: Database) -> None:
    _, ticket = await a_ticket(database)
    assert (await scan(database, code_of(ticket), Door(hall_code="H1"))).result == "SUCCESS"
    await new_hall(database)
    before = await everything(database)
    refused = await refusal_of(scan(database, code_of(ticket), Door(hall_code="H1")))
    assert (refused.code, refused.problems[0].field) == (RefusalCode.VALIDATION_ERROR, "input.hallCode")
    assert await everything(database) == before


async def test_a_door_that_there_is_not_is_refused_and_not_written_down(database: Database) -> None:
    _, ticket = await a_ticket(database)
    draft = await new_draft(database)
    before = await everything(database)
    for door, code in (
        (Door(), RefusalCode.VALIDATION_ERROR),
        (Door(hall_id=uuid4()), RefusalCode.HALL_NOT_FOUND),
        (Door(hall_code="H9"), RefusalCode.HALL_NOT_FOUND),
        (Door(event_id=uuid4()), RefusalCode.EVENT_NOT_FOUND),
        (Door(hall_id=draft.hall_id, event_id=draft.id), RefusalCode.EVENT_NOT_FOUND),
        (Door(hall_id=uuid4(), event_id=ticket["event_id"]), RefusalCode.HALL_NOT_FOUND),
    ):
        for said in (code_of(ticket), None):
            assert (await refusal_of(scan(database, said, door))).code is code
    assert await everything(database) == before


async def test_a_ticket_of_general_admission_comes_in_too(database: Database) -> None:
    event = await new_event(database, await priced(0, standing=3))
    _, ticket = await a_ticket(database, event)
    await checked_in(database, ticket)
    assert await letters(database, event) == "CAA"
    assert await violations(database) == []
