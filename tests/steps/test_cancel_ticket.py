"""A ticket given up: it is dead, its seat on sale again, and the money stays where it is."""

import asyncio

import pytest

from database import Database
from jobs.check_invariants import violations
from models.tickets import Ticket, ticket_of
from models.users import User
from steps.cancel_ticket import cancel_ticket
from steps.idempotency import Key
from steps.refusals import RefusalCode
from tests.cards import opened_for
from tests.doors import checked_in, code_of, here_to, scan, ticket_at
from tests.life import ended, ending
from tests.transfers import (
    bought,
    codes_of,
    confirmed,
    confirmed_in,
    credits_of,
    disputed,
    initiated,
    owner_of,
    transfer_of,
    transferred,
)
from tests.world import (
    everything,
    hold,
    letters,
    new_event,
    new_user,
    pay,
    refund,
    refusal_of,
    until_somebody_waits,
)


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


async def cancelled(
    database: Database, caller: User, ticket: Ticket, *, any_owner: bool = False, key: Key | None = None
) -> Ticket:
    return await ended(database, cancel_ticket, caller, ticket, any_owner=any_owner, key=key)


async def test_the_seat_is_on_sale_again_and_the_money_stays(
    database: Database, alice: User, bob: User
) -> None:
    event = await new_event(database)
    ticket = await bought(database, alice, event)
    record = await ticket_at(database, event.id)
    done = await cancelled(database, alice, ticket)
    assert (done.status, done.version, done.ended_at is not None) == ("CANCELLED", 2, True)
    assert await credits_of(database, alice) == 4_000
    assert await letters(database, event) == "A" * 10
    (row,) = await database.rows("SELECT status FROM seat_changes WHERE index = 0 AND version = 3")
    assert row["status"] == "A"
    assert (await scan(database, code_of(record), here_to(record))).result == "CANCELLED"
    (order,) = await database.rows("SELECT status, refunded_minor FROM orders")
    assert tuple(order) == ("CONFIRMED", 0)
    await bought(database, bob, event)
    assert await violations(database) == []


async def test_what_is_left_of_an_order_is_paid_back_without_it(database: Database, alice: User) -> None:
    event = await new_event(database)
    order = await pay(database, alice, await hold(database, alice, event, [0, 1]))
    await cancelled(database, alice, ticket_of(await ticket_at(database, event.id)))
    done = await refund(database, alice, order)
    assert (done.status, done.refunded_minor) == ("REFUNDED", 1_000)
    assert await credits_of(database, alice) == 4_000
    assert await violations(database) == []


async def test_a_transfer_that_waits_ends_with_the_ticket(database: Database, alice: User, bob: User) -> None:
    ticket = await bought(database, alice)
    waiting = await initiated(database, alice, ticket, bob)
    await cancelled(database, alice, ticket)
    assert (await transfer_of(database, waiting)).status == "FAILED"


@pytest.mark.parametrize(("starts_in", "any_owner"), [("23 hours", False), ("0 hours", True)])
async def test_it_can_be_too_late(database: Database, alice: User, starts_in: str, any_owner: bool) -> None:
    ticket = await bought(database, alice)
    async with database.transaction() as tx:
        await tx.rows(f"UPDATE events SET starts_at = statement_timestamp() + interval '{starts_in}'")
    before = await everything(database)
    refused = await refusal_of(cancelled(database, alice, ticket, any_owner=any_owner))
    assert refused.code is RefusalCode.TICKET_INVALID_STATE
    assert await everything(database) == before


async def test_who_runs_events_cancels_until_it_begins(database: Database, alice: User) -> None:
    ticket, operator = await bought(database, alice), await new_user(database)
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET starts_at = statement_timestamp() + interval '1 minute'")
    assert (await cancelled(database, operator, ticket, any_owner=True)).status == "CANCELLED"
    assert await violations(database) == []


async def test_only_ones_own_good_and_unused_ticket_is_cancelled(
    database: Database, alice: User, bob: User
) -> None:
    event = await new_event(database)
    good, used, given, gone, argued = [await bought(database, alice, event, index) for index in range(5)]
    await checked_in(database, await ticket_at(database, event.id, 1))
    await transferred(database, alice, given, bob)
    await cancelled(database, alice, gone)
    await disputed(database, bob, await transferred(database, alice, argued, bob, price_minor=0))
    await opened_for(database, await hold(database, alice, event, [5]))
    (waiting,) = await database.rows("SELECT * FROM tickets WHERE status = 'PENDING'")
    before = await everything(database)
    for caller, ticket, code in (
        (bob, good, RefusalCode.TICKET_NOT_FOUND),
        (alice, given, RefusalCode.TICKET_NOT_FOUND),
        (alice, Ticket(event_id=event.id, id=event.id), RefusalCode.TICKET_NOT_FOUND),
        (alice, used, RefusalCode.TICKET_INVALID_STATE),
        (alice, gone, RefusalCode.TICKET_INVALID_STATE),
        (alice, Ticket(**waiting), RefusalCode.TICKET_INVALID_STATE),
        (bob, argued, RefusalCode.TICKET_INVALID_STATE),
    ):
        assert (await refusal_of(cancelled(database, caller, ticket))).code is code
    assert await everything(database) == before


async def test_nobody_gives_up_money_that_is_about_to_come(database: Database, alice: User) -> None:
    ticket = await bought(database, alice)
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET status = 'CANCELLED'")
    before = await everything(database)
    refused = await refusal_of(cancelled(database, alice, ticket))
    assert (refused.code, "paid back" in str(refused)) == (RefusalCode.TICKET_INVALID_STATE, True)
    assert await everything(database) == before


async def test_a_repeat_under_one_key_answers_with_the_ticket(database: Database, alice: User) -> None:
    ticket = await bought(database, alice)
    key = Key.of(alice.id, "cancelTicket", "k", {"ticket": ticket.id})
    done = await asyncio.gather(*(cancelled(database, alice, ticket, key=key) for _ in range(5)))
    assert {(one.status, one.version) for one in done} == {("CANCELLED", 2)}
    assert await violations(database) == []


async def test_who_confirms_a_transfer_waits_for_a_cancellation_and_the_ticket_is_gone(
    database: Database, alice: User, bob: User
) -> None:
    ticket = await bought(database, alice)
    waiting = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        await cancel_ticket(tx, **ending(alice, ticket))
        rival = asyncio.create_task(refusal_of(confirmed(database, bob, waiting, **codes)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.TRANSFER_INVALID_STATE
    assert (await credits_of(database, alice), await credits_of(database, bob)) == (4_000, 5_000)
    assert await violations(database) == []


async def test_a_cancellation_waits_for_who_confirms_a_transfer_and_the_ticket_is_anothers(
    database: Database, alice: User, bob: User
) -> None:
    ticket = await bought(database, alice)
    waiting = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        await confirmed_in(tx, bob, waiting, **codes)
        rival = asyncio.create_task(refusal_of(cancelled(database, alice, ticket)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.TICKET_NOT_FOUND
    assert await owner_of(database, ticket) == bob.id
    assert await violations(database) == []


async def test_a_scan_waits_for_a_cancellation_and_lets_nobody_in(database: Database, alice: User) -> None:
    ticket = await bought(database, alice)
    record = await ticket_at(database, ticket.event_id)
    async with database.transaction() as tx:
        await cancel_ticket(tx, **ending(alice, ticket))
        at_the_door = asyncio.create_task(scan(database, code_of(record), here_to(record)))
        await until_somebody_waits(database)
    assert (await at_the_door).result == "CANCELLED"
    assert await violations(database) == []
