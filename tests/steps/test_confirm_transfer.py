"""Confirming a transfer: with both codes ticket and credits change hands, and with less nothing does."""

import asyncio
from dataclasses import replace

import pytest

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.codes import CodePurpose
from models.orders import order_of
from models.tickets import Ticket
from models.users import User
from steps.confirm_transfer import confirm_transfer, consent
from steps.delete_user import delete_user
from steps.idempotency import Key
from steps.permit import deactivate_user
from steps.refusals import RefusalCode, Refused
from steps.transact import transact
from tests.codes import requested, tried, verified
from tests.transfers import (
    PRICE_MINOR,
    bought,
    cancelled,
    codes_of,
    confirmed,
    confirmed_in,
    confirming,
    credits_of,
    initiated,
    let_time_be_over,
    owner_of,
    transfer_of,
    transferred,
)
from tests.world import (
    LIMITS,
    an_hour_later,
    everything,
    hold,
    new_user,
    refund,
    refusal_of,
    until_somebody_waits,
)

TRANSFER = CodePurpose.TRANSFER


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=1_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=2_000)


@pytest.fixture
async def ticket(database: Database, alice: User) -> Ticket:
    return await bought(database, alice)


async def test_each_confirms_alone_and_with_the_second_everything_changes_hands(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    half = await confirmed(database, bob, transfer, buyer_otp=codes["buyer_otp"])
    assert (half.status, half.seller_confirmed, half.buyer_confirmed) == ("PENDING_OTP", False, True)
    assert await owner_of(database, ticket) == alice.id
    assert await credits_of(database, bob) == 2_000
    done = await confirmed(database, alice, transfer, seller_otp=codes["seller_otp"])
    assert (done.status, done.seller_confirmed, done.buyer_confirmed) == ("COMPLETED", True, True)
    assert await owner_of(database, ticket) == bob.id
    ((version,),) = await database.rows("SELECT version FROM tickets")
    assert version == ticket.version + 1
    assert (await credits_of(database, alice), await credits_of(database, bob)) == (PRICE_MINOR, 500)
    moved = await database.rows(
        """SELECT user_id, debit, credit, amount_minor, event_id, reference FROM movements
           WHERE kind = 'TRANSFER'"""
    )
    about = (PRICE_MINOR, ticket.event_id, transfer.id)
    assert {tuple(row) for row in moved} == {
        (bob.id, "CREDITS", "ESCROW", *about),
        (alice.id, "ESCROW", "CREDITS", *about),
    }
    assert await violations(database) == []


async def test_one_request_gives_both_codes_and_either_may_send_it(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    assert (await transferred(database, alice, ticket, bob)).status == "COMPLETED"
    back = await initiated(database, bob, ticket, alice, price_minor=700)
    codes = await codes_of(database, bob, alice)
    assert (await confirmed(database, alice, back, **codes)).status == "COMPLETED"
    assert await owner_of(database, ticket) == alice.id
    assert await violations(database) == []


async def test_a_gift_moves_no_money(database: Database, alice: User, ticket: Ticket) -> None:
    poor = await new_user(database)
    await transferred(database, alice, ticket, poor, price_minor=0)
    assert await owner_of(database, ticket) == poor.id
    assert await database.rows("SELECT 1 FROM movements WHERE kind = 'TRANSFER'") == []
    assert await violations(database) == []


async def test_credits_that_were_spent_meanwhile_are_missing_and_nothing_moves(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    await bought(database, bob)
    before = await everything(database)
    seller = await refusal_of(confirmed(database, alice, transfer, **codes))
    assert (seller.code, seller.missing) == (RefusalCode.INSUFFICIENT_CREDITS, None)
    buyer = await refusal_of(confirmed(database, bob, transfer, **codes))
    assert (buyer.code, buyer.missing) == (RefusalCode.INSUFFICIENT_CREDITS, (500, "EUR"))
    assert await everything(database) == before
    assert (await transfer_of(database, transfer)).status == "PENDING_OTP"


async def test_seats_that_were_taken_meanwhile_count(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    await hold(database, bob, Event(id=ticket.event_id), [1, 2])
    before = await everything(database)
    few = confirming(bob, transfer, **codes) | {"seats_per_buyer_max": 2}
    assert (await refusal_of(transact(database, confirm_transfer, **few))).code is RefusalCode.TOO_MANY_SEATS
    assert await everything(database) == before
    enough = few | {"seats_per_buyer_max": 3}
    assert (await transact(database, confirm_transfer, **enough)).status == "COMPLETED"
    refused = await refusal_of(
        hold(database, bob, Event(id=ticket.event_id), [3], limits=replace(LIMITS, seats_per_buyer_max=3))
    )
    assert refused.code is RefusalCode.TOO_MANY_SEATS
    await hold(database, bob, Event(id=ticket.event_id), [3], limits=replace(LIMITS, seats_per_buyer_max=4))


async def test_past_its_time_it_reads_as_failed_at_once_and_cannot_be_confirmed(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    await let_time_be_over(database, transfer)
    assert (await transfer_of(database, transfer)).status == "FAILED"
    before = await everything(database)
    for attempt in (
        confirmed(database, bob, transfer, **codes),
        cancelled(database, bob, transfer),
        requested(database, bob, (transfer.event_id, transfer.id), TRANSFER),
        verified(database, bob, (transfer.event_id, transfer.id), codes["buyer_otp"], TRANSFER),
    ):
        assert (await refusal_of(attempt)).code is RefusalCode.TRANSFER_INVALID_STATE
    assert await everything(database) == before


async def test_a_time_that_ends_while_accounts_are_waited_for_is_over(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    before = await everything(database)
    with pytest.raises(Refused) as refused:
        async with database.transaction() as tx, an_hour_later(tx):
            await consent(tx, transfer, [alice.id, bob.id], bob.id, 20)
    assert refused.value.code is RefusalCode.TRANSFER_INVALID_STATE
    assert await everything(database) == before


@pytest.mark.parametrize("end", ["REFUNDED", "CANCELLED", "CHECKED_IN"])
async def test_what_ends_a_ticket_ends_its_transfer(
    database: Database, alice: User, bob: User, ticket: Ticket, end: str
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        await tx.rows("UPDATE tickets SET status = $1", end)
    assert (await transfer_of(database, transfer)).status == "FAILED"
    before = await everything(database)
    refused = await refusal_of(confirmed(database, bob, transfer, **codes))
    assert refused.code is RefusalCode.TRANSFER_INVALID_STATE
    assert await everything(database) == before


async def test_what_was_paid_back_does_not_change_hands(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    (order,) = await database.rows("SELECT * FROM orders")
    assert (await refund(database, alice, order_of(order))).status == "REFUNDED"
    assert (await transfer_of(database, transfer)).status == "FAILED"
    refused = await refusal_of(confirmed(database, alice, transfer, **codes))
    assert refused.code is RefusalCode.TRANSFER_INVALID_STATE
    assert await violations(database) == []


async def test_the_event_may_be_cancelled_meanwhile(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET status = 'CANCELLED'")
    before = await everything(database)
    refused = await refusal_of(confirmed(database, alice, transfer, **codes))
    assert refused.code is RefusalCode.TRANSFER_NOT_ALLOWED
    assert await everything(database) == before


async def test_who_is_deactivated_or_deleted_meanwhile_gets_nothing(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    await confirmed(database, bob, transfer, buyer_otp=codes["buyer_otp"])
    await transact(database, deactivate_user, user_id=bob.id)
    before = await everything(database)
    refused = await refusal_of(confirmed(database, alice, transfer, seller_otp=codes["seller_otp"]))
    assert refused.code is RefusalCode.USER_NOT_FOUND
    assert await everything(database) == before
    await transact(database, delete_user, user_id=bob.id)
    assert (await transfer_of(database, transfer)).status == "CANCELLED"
    refused = await refusal_of(transact(database, delete_user, user_id=alice.id))
    assert refused.code is RefusalCode.USER_HAS_TICKETS


async def test_who_is_getting_a_ticket_at_this_moment_is_not_deleted(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        await confirmed_in(tx, alice, transfer, **codes)
        deletion = asyncio.create_task(refusal_of(transact(database, delete_user, user_id=bob.id)))
        await until_somebody_waits(database)
    assert (await deletion).code is RefusalCode.USER_HAS_TICKETS
    assert await owner_of(database, ticket) == bob.id


async def test_both_confirm_at_once_and_everything_changes_hands_once(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        half = await tried(tx, alice, (transfer.event_id, transfer.id), codes["seller_otp"], TRANSFER)
        assert not isinstance(half, Refused)
        second = asyncio.create_task(confirmed(database, bob, transfer, buyer_otp=codes["buyer_otp"]))
        await until_somebody_waits(database)
    assert (await second).status == "COMPLETED"
    assert await credits_of(database, alice) == PRICE_MINOR
    assert await violations(database) == []


async def test_thirty_twins_under_one_key_hand_over_once(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    key = Key.of(bob.id, "confirmTransfer", "once", {})
    twins = await asyncio.gather(*(confirmed(database, bob, transfer, **codes, key=key) for _ in range(30)))
    assert {twin.status for twin in twins} == {"COMPLETED"}
    assert len(await database.rows("SELECT 1 FROM movements WHERE kind = 'TRANSFER'")) == 2
    assert await violations(database) == []
