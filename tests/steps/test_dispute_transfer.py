"""Disputes: the proceeds are put aside, and the house gives everything back or lets it stand."""

import asyncio
from datetime import timedelta

import pytest

from database import Database
from jobs.check_invariants import violations
from models.tickets import Ticket
from models.transfers import Transfer
from models.users import User
from steps.delete_user import delete_user
from steps.idempotency import Key
from steps.locks import lock_accounts
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.transfers import (
    PRICE_MINOR,
    bought,
    codes_of,
    confirmed,
    credits_of,
    disputed,
    initiated,
    owner_of,
    rejected,
    transfer_of,
    transferred,
    undone,
)
from tests.world import CURRENCY, everything, new_event, new_user, refusal_of, until_somebody_waits


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=1_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=2_000)


@pytest.fixture
async def ticket(database: Database, alice: User) -> Ticket:
    return await bought(database, alice)


@pytest.fixture
async def done(database: Database, alice: User, bob: User, ticket: Ticket) -> Transfer:
    return await transferred(database, alice, ticket, bob)


async def account(database: Database, kind: str) -> int:
    """What is on an account of the house."""
    ((total,),) = await database.rows(
        """SELECT coalesce(sum(CASE WHEN credit = $1 THEN amount_minor ELSE -amount_minor END), 0)::int
           FROM movements WHERE $1 IN (debit, credit)""",
        kind,
    )
    return total


async def test_a_dispute_puts_the_proceeds_aside_and_a_rejection_frees_them(
    database: Database, alice: User, bob: User, done: Transfer
) -> None:
    now = await disputed(database, bob, done, reason="  It was another seat. ")
    assert (now.status, now.dispute_reason) == ("DISPUTED", "It was another seat.")
    assert (await credits_of(database, alice), await account(database, "ESCROW")) == (0, PRICE_MINOR)
    assert await violations(database) == []
    now = await rejected(database, now)
    assert (now.status, now.dispute_reason) == ("COMPLETED", "It was another seat.")
    assert (await credits_of(database, alice), await account(database, "ESCROW")) == (PRICE_MINOR, 0)
    assert await violations(database) == []
    before = await everything(database)
    for attempt in (disputed(database, alice, now), disputed(database, bob, now)):
        assert (await refusal_of(attempt)).code is RefusalCode.TRANSFER_INVALID_STATE
    assert await everything(database) == before


@pytest.mark.parametrize("is_disputed", [True, False])
async def test_a_reversal_gives_ticket_and_credits_back(
    database: Database, alice: User, bob: User, ticket: Ticket, done: Transfer, is_disputed: bool
) -> None:
    if is_disputed:
        await disputed(database, alice, done)
    now = await undone(database, done)
    assert now.status == "REVERSED"
    assert await owner_of(database, ticket) == alice.id
    ((version,),) = await database.rows("SELECT version FROM tickets")
    assert version == ticket.version + 2
    assert (await credits_of(database, alice), await credits_of(database, bob)) == (0, 2_000)
    assert await account(database, "ESCROW") == 0
    assert await violations(database) == []
    after = await everything(database)
    for attempt in (undone(database, done), rejected(database, done), disputed(database, bob, done)):
        assert (await refusal_of(attempt)).code is RefusalCode.TRANSFER_INVALID_STATE
    users = (await everything(database)).rows["users"]
    assert (await everything(database)).rows | {"users": []} == after.rows | {"users": []}
    assert len(users) == len(after.rows["users"]) + 2  # the operators


@pytest.mark.parametrize("is_reversed", [True, False])
async def test_what_the_seller_has_spent_is_owed_to_the_house_and_no_balance_is_negative(
    database: Database, alice: User, bob: User, done: Transfer, is_reversed: bool
) -> None:
    await bought(database, alice, await new_event(database))  # for 10.00 of the 15.00
    now = await disputed(database, bob, done)
    assert now.receivable_minor == 1_000
    assert await credits_of(database, alice) == 0
    assert (await account(database, "ESCROW"), await account(database, "RECEIVABLES")) == (1_500, -1_000)
    assert await violations(database) == []
    if is_reversed:
        now = await undone(database, now)
        assert (await credits_of(database, bob), await account(database, "RECEIVABLES")) == (2_000, -1_000)
        assert now.receivable_minor == 1_000
    else:
        now = await rejected(database, now)
        assert (await credits_of(database, alice), await account(database, "RECEIVABLES")) == (500, 0)
        assert now.receivable_minor == 0
    assert await account(database, "ESCROW") == 0
    assert await violations(database) == []


async def test_a_gift_can_be_disputed_and_given_back(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    gift = await transferred(database, alice, ticket, bob, price_minor=0)
    await disputed(database, alice, gift)
    await undone(database, gift)
    assert await owner_of(database, ticket) == alice.id
    assert await violations(database) == []


async def test_who_may_not_dispute_and_when_it_is_too_late(
    database: Database, alice: User, bob: User, ticket: Ticket, done: Transfer
) -> None:
    carol = await new_user(database)
    pending = await initiated(database, bob, ticket, alice, price_minor=0)
    before = await everything(database)
    for attempt, code in (
        (disputed(database, carol, done), RefusalCode.TRANSFER_NOT_FOUND),
        (disputed(database, alice, pending), RefusalCode.TRANSFER_INVALID_STATE),
        (disputed(database, alice, done, hours=0), RefusalCode.TRANSFER_NOT_ALLOWED),
        (disputed(database, alice, done, reason=" "), RefusalCode.VALIDATION_ERROR),
        (disputed(database, alice, done, reason="a" * 501), RefusalCode.VALIDATION_ERROR),
    ):
        assert (await refusal_of(attempt)).code is code
    assert await everything(database) == before
    async with database.transaction() as tx:
        await tx.rows("UPDATE transfers SET completed_at = completed_at - $1::interval", timedelta(hours=48))
    before = await everything(database)
    assert (await refusal_of(disputed(database, alice, done))).code is RefusalCode.TRANSFER_NOT_ALLOWED
    assert await everything(database) == before


async def test_a_ticket_that_moved_on_or_was_used_is_not_given_back(
    database: Database, alice: User, bob: User, ticket: Ticket, done: Transfer
) -> None:
    carol = await new_user(database, credits_minor=5_000)
    second = await transferred(database, bob, ticket, carol)
    for attempt in (undone(database, done), disputed(database, alice, done)):
        assert (await refusal_of(attempt)).code is RefusalCode.TRANSFER_NOT_ALLOWED
    await disputed(database, carol, second)
    async with database.transaction() as tx:
        await tx.rows("UPDATE tickets SET status = 'CHECKED_IN'")
        await tx.rows("UPDATE seats SET status = 'C', version = version + 1 WHERE index = 0")
    assert (await refusal_of(undone(database, second))).code is RefusalCode.TICKET_INVALID_STATE
    assert await owner_of(database, ticket) == carol.id
    assert (await rejected(database, second)).status == "COMPLETED"


async def test_transfers_are_undone_from_the_last_to_the_first(
    database: Database, alice: User, bob: User, ticket: Ticket, done: Transfer
) -> None:
    back = await transferred(database, bob, ticket, alice, price_minor=100)
    again = await transferred(database, alice, ticket, bob, price_minor=200)
    assert (await refusal_of(undone(database, done))).code is RefusalCode.TRANSFER_NOT_ALLOWED
    for transfer in (again, back, done):
        await undone(database, transfer)
        assert await violations(database) == []
    assert await owner_of(database, ticket) == alice.id
    assert (await credits_of(database, alice), await credits_of(database, bob)) == (0, 2_000)


async def test_a_reversal_ends_what_the_buyer_was_about_to_do_with_the_ticket(
    database: Database, alice: User, bob: User, ticket: Ticket, done: Transfer
) -> None:
    carol = await new_user(database, credits_minor=5_000)
    pending = await initiated(database, bob, ticket, carol)
    codes = await codes_of(database, bob, carol)
    await disputed(database, alice, done)
    refused = await refusal_of(confirmed(database, bob, pending, **codes))
    assert refused.code is RefusalCode.TRANSFER_NOT_ALLOWED
    await undone(database, done)
    assert (await transfer_of(database, pending)).status == "FAILED"
    refused = await refusal_of(confirmed(database, bob, pending, **codes))
    assert refused.code is RefusalCode.TRANSFER_INVALID_STATE
    assert (await initiated(database, alice, ticket, carol)).status == "PENDING_OTP"


async def test_nothing_is_given_back_to_who_is_not_there_any_more(
    database: Database, alice: User, bob: User, done: Transfer
) -> None:
    await transact(database, delete_user, user_id=alice.id)
    disputed_now = await disputed(database, bob, done)
    assert (await refusal_of(undone(database, disputed_now))).code is RefusalCode.USER_NOT_FOUND
    assert (await rejected(database, disputed_now)).status == "COMPLETED"
    assert await violations(database) == []


async def test_thirty_twins_of_a_dispute_and_of_a_reversal_move_the_money_once(
    database: Database, alice: User, bob: User, done: Transfer
) -> None:
    key = Key.of(bob.id, "disputeTransfer", "once", {})
    twins = await asyncio.gather(*(disputed(database, bob, done, key=key) for _ in range(30)))
    assert {twin.status for twin in twins} == {"DISPUTED"}
    key = Key.of(alice.id, "reverseTransfer", "once", {})
    twins = await asyncio.gather(*(undone(database, done, key=key) for _ in range(30)))
    assert {twin.status for twin in twins} == {"REVERSED"}
    assert await credits_of(database, bob) == 2_000
    assert await violations(database) == []


async def test_thirty_twins_of_a_rejection_give_the_money_back_once(
    database: Database, alice: User, bob: User, done: Transfer
) -> None:
    before = await credits_of(database, alice)
    await disputed(database, bob, done)
    key = Key.of(alice.id, "rejectDispute", "once", {})
    twins = await asyncio.gather(*(rejected(database, done, key=key) for _ in range(30)))
    assert {twin.status for twin in twins} == {"COMPLETED"}
    assert await credits_of(database, alice) == before
    assert await violations(database) == []


async def test_a_reversal_waits_for_both_accounts_in_their_order(
    database: Database, alice: User, bob: User
) -> None:
    seller, buyer = sorted([alice, bob], key=lambda user: user.id, reverse=True)
    done = await transferred(database, seller, await bought(database, seller), buyer, price_minor=500)
    async with database.transaction() as tx:
        await lock_accounts(tx, [buyer.id], CURRENCY)
        reversing = asyncio.create_task(undone(database, done))
        await until_somebody_waits(database)
        await tx.rows("SELECT 1 FROM accounts WHERE user_id = $1 FOR NO KEY UPDATE NOWAIT", seller.id)
    assert (await reversing).status == "REVERSED"
