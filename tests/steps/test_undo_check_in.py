"""Taking an admission back: the ticket is good again, and the log says who did it and why."""

import asyncio
from uuid import UUID

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.columns import new_id
from steps.check_in import Door
from steps.refusals import RefusalCode
from steps.undo_check_in import REASON_CHARACTERS_MAX, undo_check_in
from tests.doors import SCANNER, a_ticket, checked_in, code_of, scan, scans, ticket_at, undone
from tests.world import everything, letters, refusal_of, until_somebody_waits


async def test_who_was_let_in_in_error_is_outside_and_may_come_again(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await checked_in(database, ticket)
    operator = new_id()
    await undone(database, ticket, operator, " The wrong person ")
    after = await ticket_at(database, ticket["event_id"])
    assert (after["status"], after["version"]) == ("ACTIVE", ticket["version"])
    assert await letters(database, Event(id=ticket["event_id"])) == "S" + "A" * 9
    (row,) = await scans(database)
    assert (row["result"], row["undone_by"], row["undone_reason"]) == (
        "SUCCESS",
        operator,
        "The wrong person",
    )
    assert row["undone_at"] > row["scanned_at"]
    assert await violations(database) == []
    await checked_in(database, ticket)
    assert [row["undone_at"] is None for row in await scans(database)] == [False, True]
    assert await violations(database) == []


async def test_the_relay_is_woken_for_who_comes_in_and_who_is_taken_back_and_for_nothing_else(
    database: Database,
) -> None:
    _, ticket = await a_ticket(database)
    woken: list[set[UUID]] = []
    database.on_commit = woken.append
    await checked_in(database, ticket)
    await scan(database, code_of(ticket), Door(event_id=ticket["event_id"]))
    await undone(database, ticket)
    assert woken == [{ticket["event_id"]}] * 2


async def test_what_is_not_inside_is_not_taken_back(database: Database) -> None:
    _, ticket = await a_ticket(database)
    gone = {"event_id": ticket["event_id"], "id": new_id()}
    before = await everything(database)
    for record, reason, code in (
        (ticket, "Left", RefusalCode.TICKET_INVALID_STATE),
        (gone, "Left", RefusalCode.TICKET_NOT_FOUND),
        (ticket, " ", RefusalCode.VALIDATION_ERROR),
        (ticket, "x" * (REASON_CHARACTERS_MAX + 1), RefusalCode.VALIDATION_ERROR),
    ):
        assert (await refusal_of(undone(database, record, reason=reason))).code is code
    assert await everything(database) == before


async def test_a_second_undoing_waits_for_the_first_and_finds_nobody_inside(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await checked_in(database, ticket)
    event_id, ticket_id = ticket["event_id"], ticket["id"]
    async with database.transaction() as first:
        await undo_check_in(first, actor_id=SCANNER, event_id=event_id, ticket_id=ticket_id, reason="Left")
        second = asyncio.create_task(undone(database, ticket, reason="Again"))
        await until_somebody_waits(database)
    assert (await refusal_of(second)).code is RefusalCode.TICKET_INVALID_STATE
    (row,) = await scans(database)
    assert row["undone_reason"] == "Left"
    assert await violations(database) == []
