"""At most one admission for a ticket: gates against each other, and against what happens to it meanwhile."""

import asyncio
from uuid import UUID

import pytest
from asyncpg import Record, UniqueViolationError

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.columns import new_id
from models.orders import Order
from steps.check_in import Door, verify_ticket
from steps.idempotency import Key
from steps.refund import refund_order
from steps.refusals import RefusalCode, Refused
from steps.undo_check_in import undo_check_in
from tests.doors import SCANNER, a_ticket, checked_in, code_of, scan, scans, ticket_at, undone
from tests.world import everything, letters, new_event, refund, refusal_of, until_somebody_waits

GATES = 20


def here(ticket: Record) -> Door:
    return Door(event_id=ticket["event_id"])


def wish(ticket: Record) -> dict[str, object]:
    return {"scanner_id": SCANNER, "door": here(ticket), "code": code_of(ticket)}


def key_of(ticket: Record, key: str = "k", scanner_id: UUID = SCANNER) -> Key:
    return Key.of(scanner_id, "verifyTicket", key, {"ticket": ticket["id"]})


async def test_one_of_twenty_gates_lets_a_ticket_in(database: Database) -> None:
    _, ticket = await a_ticket(database)
    gates = [new_id() for _ in range(GATES)]
    found = await asyncio.gather(
        *(scan(database, code_of(ticket), here(ticket), scanner_id=gate) for gate in gates)
    )
    assert sorted(each.result for each in found) == ["DUPLICATE"] * (GATES - 1) + ["SUCCESS"]
    logged = await scans(database)
    assert {row["scanned_by"] for row in logged} == set(gates)
    (first,) = (row["scanned_at"] for row in logged if row["result"] == "SUCCESS")
    assert all(row["scanned_at"] >= first for row in logged)
    assert await letters(database, Event(id=ticket["event_id"])) == "C" + "A" * 9
    assert await violations(database) == []


async def test_a_second_gate_waits_for_the_first_and_says_duplicate(database: Database) -> None:
    _, ticket = await a_ticket(database)
    async with database.transaction() as first:
        admitted = await verify_ticket(first, **wish(ticket))
        second = asyncio.create_task(scan(database, code_of(ticket), here(ticket)))
        await until_somebody_waits(database)
    assert not isinstance(admitted, Refused)
    assert (admitted.result, (await second).result) == ("SUCCESS", "DUPLICATE")
    assert await violations(database) == []


async def test_a_second_gate_lets_in_where_the_first_did_not_come_to_its_end(database: Database) -> None:
    _, ticket = await a_ticket(database)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as first:
            await verify_ticket(first, **wish(ticket))
            second = asyncio.create_task(scan(database, code_of(ticket), here(ticket)))
            await until_somebody_waits(database)
            raise ZeroDivisionError
    assert (await second).result == "SUCCESS"
    assert len(await scans(database)) == 1
    assert await violations(database) == []


async def test_a_scan_waits_for_a_refund_and_lets_nobody_in(database: Database) -> None:
    alice, ticket = await a_ticket(database)
    async with database.transaction() as refunding:
        await refund_order(
            refunding,
            caller_id=alice.id,
            any_buyer=False,
            event_id=ticket["event_id"],
            order_id=ticket["order_id"],
            hours_before=24,
        )
        second = asyncio.create_task(scan(database, code_of(ticket), here(ticket)))
        await until_somebody_waits(database)
    assert (await second).result == "CANCELLED"
    assert await letters(database, Event(id=ticket["event_id"])) == "A" * 10
    assert await violations(database) == []


async def test_a_refund_waits_for_a_scan_and_pays_nothing_back(database: Database) -> None:
    alice, ticket = await a_ticket(database)
    order = Order(event_id=ticket["event_id"], id=ticket["order_id"])
    async with database.transaction() as first:
        await verify_ticket(first, **wish(ticket))
        second = asyncio.create_task(refund(database, alice, order))
        await until_somebody_waits(database)
    assert (await refusal_of(second)).code is RefusalCode.REFUND_NOT_ALLOWED
    assert await letters(database, Event(id=ticket["event_id"])) == "C" + "A" * 9
    assert await violations(database) == []


async def test_a_scan_waits_for_a_change_of_hands_and_does_not_find_the_ticket(database: Database) -> None:
    _, ticket = await a_ticket(database)
    async with database.transaction() as giving:
        await giving.rows("UPDATE tickets SET owner_id = gen_random_uuid(), version = version + 1")
        second = asyncio.create_task(scan(database, code_of(ticket), here(ticket)))
        await until_somebody_waits(database)
    assert (await second).result == "NOT_FOUND"
    assert (await ticket_at(database, ticket["event_id"]))["status"] == "ACTIVE"
    assert await letters(database, Event(id=ticket["event_id"])) == "S" + "A" * 9


async def test_a_scan_takes_the_seat_before_the_ticket_as_everybody_does(database: Database) -> None:
    _, ticket = await a_ticket(database)
    async with database.transaction() as rival:
        await rival.rows("SELECT 1 FROM seats WHERE index = 0 FOR NO KEY UPDATE")
        scanning = asyncio.create_task(scan(database, code_of(ticket), here(ticket)))
        await until_somebody_waits(database)
        assert await rival.rows("SELECT 1 FROM tickets FOR NO KEY UPDATE NOWAIT")
    assert (await scanning).result == "SUCCESS"


async def test_a_dry_run_waits_for_nobody(database: Database) -> None:
    _, ticket = await a_ticket(database)
    async with database.transaction() as first:
        await verify_ticket(first, **wish(ticket))
        async with asyncio.timeout(1):
            looked = await scan(database, code_of(ticket), here(ticket), dry_run=True)
    assert looked.result == "SUCCESS"


async def test_a_scan_waits_for_an_admission_to_be_taken_back_and_lets_in(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await checked_in(database, ticket)
    async with database.transaction() as undoing:
        await undo_check_in(
            undoing,
            actor_id=SCANNER,
            event_id=ticket["event_id"],
            ticket_id=ticket["id"],
            reason="The wrong person",
        )
        second = asyncio.create_task(scan(database, code_of(ticket), here(ticket)))
        await until_somebody_waits(database)
    assert (await second).result == "SUCCESS"
    assert await violations(database) == []


async def test_a_retry_gets_its_success_again_and_another_scan_a_duplicate(database: Database) -> None:
    _, ticket = await a_ticket(database)
    before = await everything(database)
    await scan(database, code_of(ticket), here(ticket), key=key_of(ticket), dry_run=True)
    assert await everything(database) == before
    first = await scan(database, code_of(ticket), here(ticket), key=key_of(ticket))
    before = await everything(database)
    again = await scan(database, code_of(ticket), here(ticket), key=key_of(ticket))
    assert (again.id, again.result, again.scanned_at) == (first.id, "SUCCESS", first.scanned_at)
    assert await everything(database) == before
    for key in (None, key_of(ticket, "other"), key_of(ticket, scanner_id=new_id())):
        scanner_id = key.user_id if key else SCANNER
        other = await scan(database, code_of(ticket), here(ticket), key=key, scanner_id=scanner_id)
        assert other.result == "DUPLICATE"


async def test_a_retry_that_overtakes_its_first_try_waits_and_gets_its_success(database: Database) -> None:
    _, ticket = await a_ticket(database)
    async with database.transaction() as first:
        await verify_ticket(first, **wish(ticket), key=key_of(ticket))
        second = asyncio.create_task(scan(database, code_of(ticket), here(ticket), key=key_of(ticket)))
        await until_somebody_waits(database)
    assert (await second).result == "SUCCESS"
    assert len(await scans(database)) == 1


async def test_other_answers_come_again_too_and_another_input_under_the_key_is_refused(
    database: Database,
) -> None:
    _, ticket = await a_ticket(database)
    elsewhere = Door(event_id=(await new_event(database)).id)
    first = await scan(database, code_of(ticket), elsewhere, key=key_of(ticket))
    assert (await scan(database, code_of(ticket), elsewhere, key=key_of(ticket))).id == first.id
    unreadable = Key.of(SCANNER, "verifyTicket", "u", {})
    for _ in range(2):
        refused = await refusal_of(scan(database, None, elsewhere, key=unreadable))
        assert refused.code is RefusalCode.QR_INVALID
    assert len(await scans(database)) == 2
    before = await everything(database)
    changed = Key.of(SCANNER, "verifyTicket", "k", {"ticket": "another"})
    refused = await refusal_of(scan(database, code_of(ticket), elsewhere, key=changed))
    assert refused.code is RefusalCode.IDEMPOTENCY_MISMATCH
    assert await everything(database) == before


async def test_a_retry_of_an_admission_that_was_taken_back_is_refused(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await scan(database, code_of(ticket), here(ticket), key=key_of(ticket))
    await undone(database, ticket)
    before = await everything(database)
    refused = await refusal_of(scan(database, code_of(ticket), here(ticket), key=key_of(ticket)))
    assert refused.code is RefusalCode.TICKET_INVALID_STATE
    assert await everything(database) == before


async def test_the_database_itself_keeps_a_ticket_from_a_second_admission(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await checked_in(database, ticket)
    with pytest.raises(UniqueViolationError):
        async with database.transaction() as tx:
            await tx.rows("UPDATE tickets SET status = 'ACTIVE'")
            await tx.rows("UPDATE seats SET status = 'S' WHERE status = 'C'")
            await verify_ticket(tx, **wish(ticket))
