"""Two who want different things of one ticket at the same moment: one of them gets it, whole."""

import asyncio
from dataclasses import replace

import pytest

from database import Database
from jobs.check_invariants import violations
from jobs.fail_transfers import fail_transfers_once
from models.catalogue import Event
from models.orders import Order, order_of
from models.tickets import Ticket
from models.transfers import Transfer
from models.users import User
from steps.delete_user import delete_user
from steps.dispute_transfer import dispute_transfer
from steps.end_transfer import cancel_transfer
from steps.locks import lock_seat, lock_ticket, lock_ticket_alone, lock_transfer
from steps.parties import lock_parties, locked_transfer
from steps.pay import pay_order
from steps.refund import refund_order
from steps.refusals import RefusalCode
from tests.transfers import (
    PRICE_MINOR,
    bought,
    cancelled,
    codes_of,
    confirmed,
    confirmed_in,
    credits_of,
    disputed,
    initiated,
    let_time_be_over,
    of,
    owner_of,
    transfer_of,
    transferred,
)
from tests.world import (
    CURRENCY,
    LIMITS,
    hold,
    letters,
    new_event,
    new_user,
    refund,
    refusal_of,
    until_somebody_waits,
)

REASON = {"reason": "No", "hours": 48}


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=3_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=3_000)


@pytest.fixture
async def ticket(database: Database, alice: User) -> Ticket:
    return await bought(database, alice)


@pytest.fixture
async def transfer(database: Database, alice: User, bob: User, ticket: Ticket) -> Transfer:
    return await initiated(database, alice, ticket, bob)


async def order_bought(database: Database) -> Order:
    (row,) = await database.rows("SELECT * FROM orders")
    return order_of(row)


async def test_a_cancellation_waits_for_who_confirms_and_comes_too_late(
    database: Database, alice: User, bob: User, ticket: Ticket, transfer: Transfer
) -> None:
    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        await confirmed_in(tx, bob, transfer, **codes)
        rival = asyncio.create_task(refusal_of(cancelled(database, alice, transfer)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.TRANSFER_INVALID_STATE
    assert await owner_of(database, ticket) == bob.id
    assert await violations(database) == []


async def test_who_confirms_waits_for_a_cancellation_and_comes_too_late(
    database: Database, alice: User, bob: User, ticket: Ticket, transfer: Transfer
) -> None:
    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        await cancel_transfer(tx, **of(alice, transfer), any_party=False)
        rival = asyncio.create_task(refusal_of(confirmed(database, bob, transfer, **codes)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.TRANSFER_INVALID_STATE
    assert (await owner_of(database, ticket), await credits_of(database, bob)) == (alice.id, 3_000)
    assert (await transfer_of(database, transfer)).status == "CANCELLED"


async def test_a_refund_waits_for_who_confirms_and_pays_nothing_back(
    database: Database, alice: User, bob: User, ticket: Ticket, transfer: Transfer
) -> None:
    codes, order = await codes_of(database, alice, bob), await order_bought(database)
    async with database.transaction() as tx:
        await confirmed_in(tx, bob, transfer, **codes)
        rival = asyncio.create_task(refusal_of(refund(database, alice, order)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.REFUND_NOT_ALLOWED
    assert await owner_of(database, ticket) == bob.id
    assert await credits_of(database, alice) == 2_000 + PRICE_MINOR
    assert await violations(database) == []


async def test_who_confirms_waits_for_a_refund_and_the_ticket_is_gone(
    database: Database, alice: User, bob: User, transfer: Transfer
) -> None:
    codes, order = await codes_of(database, alice, bob), await order_bought(database)
    async with database.transaction() as tx:
        await refund_order(
            tx,
            caller_id=alice.id,
            any_buyer=False,
            event_id=order.event_id,
            order_id=order.id,
            hours_before=24,
        )
        rival = asyncio.create_task(refusal_of(confirmed(database, bob, transfer, **codes)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.TRANSFER_INVALID_STATE
    assert (await credits_of(database, alice), await credits_of(database, bob)) == (3_000, 3_000)
    assert await violations(database) == []


async def test_a_second_transfer_waits_for_a_dispute_and_the_ticket_stays(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    first, carol = await transferred(database, alice, ticket, bob), await new_user(database)
    second = await initiated(database, bob, ticket, carol, price_minor=0)
    codes = await codes_of(database, bob, carol)
    async with database.transaction() as tx:
        await dispute_transfer(tx, **of(alice, first), **REASON)
        rival = asyncio.create_task(refusal_of(confirmed(database, bob, second, **codes)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.TRANSFER_NOT_ALLOWED
    assert await owner_of(database, ticket) == bob.id
    assert await violations(database) == []


async def test_a_dispute_waits_for_a_second_transfer_and_the_ticket_has_moved_on(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    first, carol = await transferred(database, alice, ticket, bob), await new_user(database)
    second = await initiated(database, bob, ticket, carol, price_minor=0)
    codes = await codes_of(database, bob, carol)
    async with database.transaction() as tx:
        await confirmed_in(tx, bob, second, **codes)
        rival = asyncio.create_task(refusal_of(disputed(database, alice, first)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.TRANSFER_NOT_ALLOWED
    assert await credits_of(database, alice) == 2_000 + PRICE_MINOR
    assert await violations(database) == []


async def test_an_offer_waits_for_a_dispute_and_is_refused(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    first = await transferred(database, alice, ticket, bob)
    async with database.transaction() as tx:
        await dispute_transfer(tx, **of(alice, first), **REASON)
        rival = asyncio.create_task(refusal_of(initiated(database, bob, ticket, alice, price_minor=0)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.TRANSFER_NOT_ALLOWED


@pytest.mark.parametrize("what", ["seat", "ticket", "transfer"])
async def test_a_time_that_ends_while_something_of_it_is_waited_for_is_over(
    database: Database, alice: User, bob: User, ticket: Ticket, transfer: Transfer, what: str
) -> None:
    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        match what:
            case "seat":
                await lock_seat(tx, ticket.event_id, ticket.index)
            case "ticket":
                await lock_ticket(tx, ticket.event_id, ticket.id)
            case "transfer":
                await lock_transfer(tx, ticket.event_id, transfer.id)
        rival = asyncio.create_task(refusal_of(confirmed(database, bob, transfer, **codes)))
        await until_somebody_waits(database)
        await tx.rows("UPDATE transfers SET expires_at = statement_timestamp()")
    assert (await rival).code is RefusalCode.TRANSFER_INVALID_STATE
    assert await owner_of(database, ticket) == alice.id


async def test_the_sweep_passes_over_what_is_being_confirmed_and_writes_down_what_is_over(
    database: Database, alice: User, bob: User, ticket: Ticket, transfer: Transfer
) -> None:
    codes = await codes_of(database, alice, bob)
    assert await fail_transfers_once(database) == 0
    async with database.transaction() as tx:
        await confirmed_in(tx, bob, transfer, **codes)
        assert await fail_transfers_once(database) == 0
    back = await initiated(database, bob, ticket, alice)
    await let_time_be_over(database, back)
    assert await fail_transfers_once(database) == 1
    assert await fail_transfers_once(database) == 0
    rows = await database.rows("SELECT status FROM transfers ORDER BY id")
    assert [row["status"] for row in rows] == ["COMPLETED", "FAILED"]


async def test_credits_that_are_being_spent_are_waited_for_and_then_missing(
    database: Database, alice: User, bob: User, transfer: Transfer
) -> None:
    codes = await codes_of(database, alice, bob)
    order = await hold(database, bob, await new_event(database), [0, 1])
    async with database.transaction() as tx:
        await pay_order(
            tx, buyer_id=bob.id, event_id=order.event_id, order_id=order.id, credits_currency=CURRENCY
        )
        rival = asyncio.create_task(refusal_of(confirmed(database, bob, transfer, **codes)))
        await until_somebody_waits(database)
    refused = await rival
    assert (refused.code, refused.missing) == (RefusalCode.INSUFFICIENT_CREDITS, (500, CURRENCY))
    assert (await transfer_of(database, transfer)).status == "PENDING_OTP"
    assert await violations(database) == []


async def test_two_give_each_other_tickets_at_once_and_both_arrive(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    others = await bought(database, bob)
    there = await initiated(database, alice, ticket, bob)
    to_bob = await codes_of(database, alice, bob)
    back = await initiated(database, bob, others, alice, price_minor=700)
    to_alice = await codes_of(database, bob, alice)
    async with database.transaction() as tx:
        await confirmed_in(tx, alice, there, **to_bob)
        rival = asyncio.create_task(confirmed(database, alice, back, **to_alice))
        await until_somebody_waits(database)
    assert (await rival).status == "COMPLETED"
    assert (await owner_of(database, ticket), await owner_of(database, others)) == (bob.id, alice.id)
    assert await credits_of(database, alice) == 2_000 + PRICE_MINOR - 700
    assert await violations(database) == []


async def test_who_reserves_waits_for_a_ticket_that_they_are_getting(
    database: Database, alice: User, bob: User, ticket: Ticket, transfer: Transfer
) -> None:
    codes, event = await codes_of(database, alice, bob), Event(id=ticket.event_id)
    limits = replace(LIMITS, seats_per_buyer_max=2)
    async with database.transaction() as tx:
        await confirmed_in(tx, bob, transfer, **codes)
        rival = asyncio.create_task(refusal_of(hold(database, bob, event, [1, 2], limits=limits)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.TOO_MANY_SEATS
    assert await letters(database, event) == "S" + "A" * 9
    await hold(database, bob, event, [1], limits=limits)


async def test_who_deletes_a_buyer_waits_for_who_confirms_and_neither_for_the_other(
    database: Database, alice: User, bob: User, ticket: Ticket, transfer: Transfer
) -> None:
    async def delete() -> None:
        async with database.transaction() as tx:  # a deadlock would be seen, and not be tried again
            await delete_user(tx, user_id=bob.id)

    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        await locked_transfer(tx, **of(alice, transfer))
        await lock_parties(tx, alice.id, bob.id)
        deleting = asyncio.create_task(refusal_of(delete()))
        await until_somebody_waits(database)
        await confirmed_in(tx, alice, transfer, **codes)
    assert (await deleting).code is RefusalCode.USER_HAS_TICKETS
    assert await owner_of(database, ticket) == bob.id


async def test_a_ticket_is_waited_for_before_its_transfer_is_locked(
    database: Database, alice: User, ticket: Ticket, transfer: Transfer
) -> None:
    async with database.transaction() as tx:
        await lock_ticket_alone(tx, ticket.event_id, ticket.id)
        cancelling = asyncio.create_task(cancelled(database, alice, transfer))
        await until_somebody_waits(database)
        await tx.rows("SELECT 1 FROM transfers WHERE id = $1 FOR NO KEY UPDATE NOWAIT", transfer.id)
    assert (await cancelling).status == "CANCELLED"
