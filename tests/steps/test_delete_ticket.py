"""Deleting a ticket that is over: the row goes, and what money and doors know of it stays."""

from typing import Any
from uuid import UUID

import pytest

from database import Database
from jobs.check_invariants import violations
from models.columns import new_id
from models.tickets import Ticket
from models.users import User
from steps.cancel_ticket import cancel_ticket
from steps.delete_ticket import delete_ticket
from steps.idempotency import Key
from steps.refund_ticket import refund_ticket
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.doors import checked_in, code_of, here_to, scan, scans, ticket_at
from tests.doors import undone as let_out
from tests.life import ended
from tests.transfers import bought, disputed, initiated, rejected, transfer_of, transferred, undone
from tests.world import everything, new_event, new_user, refusal_of

ADMIN = new_id()


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


async def deleted(database: Database, ticket: Ticket, **more: Any) -> tuple[UUID, UUID]:
    named = {"event_id": ticket.event_id, "ticket_id": ticket.id, **more}
    return await transact(database, delete_ticket, actor_id=ADMIN, **named)


async def test_a_line_stays_and_the_books_add_up(database: Database, alice: User, bob: User) -> None:
    event = await new_event(database)
    first, second, third = [await bought(database, alice, event, index) for index in range(3)]
    await transferred(database, alice, second, bob)
    await ended(database, cancel_ticket, alice, first)
    await ended(database, refund_ticket, bob, second)
    await ended(database, refund_ticket, alice, third)
    for ticket in (first, second, third):
        assert await deleted(database, ticket) == (event.id, ticket.id)
    assert not await database.rows("SELECT 1 FROM tickets")
    kept = await database.rows("SELECT * FROM deleted_tickets ORDER BY index")
    assert [(row["id"], row["owner_id"], row["status"], row["deleted_by"]) for row in kept] == [
        (first.id, alice.id, "CANCELLED", ADMIN),
        (second.id, bob.id, "REFUNDED", ADMIN),
        (third.id, alice.id, "REFUNDED", ADMIN),
    ]
    assert await violations(database) == []


async def test_its_transfers_and_scans_stay_and_what_waits_has_failed(
    database: Database, alice: User, bob: User
) -> None:
    ticket = await bought(database, alice)
    record = await ticket_at(database, ticket.event_id)
    await checked_in(database, record)
    await let_out(database, record)
    there = await transferred(database, alice, ticket, bob)
    waiting = await initiated(database, bob, ticket, alice)
    await ended(database, refund_ticket, bob, ticket)
    await deleted(database, ticket)
    assert (await transfer_of(database, there)).status == "COMPLETED"
    assert (await transfer_of(database, waiting)).status == "FAILED"
    assert (await refusal_of(undone(database, there))).code is RefusalCode.TICKET_INVALID_STATE
    assert (await scan(database, code_of(record), here_to(record))).result == "NOT_FOUND"
    assert [row["result"] for row in await scans(database)] == ["SUCCESS", "NOT_FOUND"]
    await disputed(database, bob, there)
    await rejected(database, there)
    assert await violations(database) == []


async def test_a_ticket_that_is_good_used_or_argued_about_is_not_deleted(
    database: Database, alice: User, bob: User
) -> None:
    event = await new_event(database)
    good, used, argued = [await bought(database, alice, event, index) for index in range(3)]
    await checked_in(database, await ticket_at(database, event.id, 1))
    there = await transferred(database, alice, argued, bob)
    await ended(database, refund_ticket, bob, argued)
    await disputed(database, bob, there)
    before = await everything(database)
    for ticket in (good, used, argued):
        assert (await refusal_of(deleted(database, ticket))).code is RefusalCode.TICKET_INVALID_STATE
    unknown = Ticket(event_id=event.id, id=new_id())
    assert (await refusal_of(deleted(database, unknown))).code is RefusalCode.TICKET_NOT_FOUND
    assert await everything(database) == before


async def test_a_repeat_under_one_key_answers_the_same(database: Database, alice: User) -> None:
    ticket = await bought(database, alice)
    await ended(database, cancel_ticket, alice, ticket)
    key = Key.of(ADMIN, "deleteTicket", "k", {"ticket": ticket.id})
    for _ in range(2):
        assert await deleted(database, ticket, key=key) == (ticket.event_id, ticket.id)
    assert (await refusal_of(deleted(database, ticket))).code is RefusalCode.TICKET_NOT_FOUND
