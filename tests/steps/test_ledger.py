"""Credits: what moves, what a balance says, and what it cannot become."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from database import Database
from models.columns import new_id
from models.orders import Order
from steps.ledger import charge_credits, give_credits
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.world import CURRENCY, everything, refusal_of, until_somebody_waits


async def give(database: Database, user_id: UUID, amount_minor: int, currency: str = CURRENCY) -> None:
    await transact(
        database,
        give_credits,
        user_id=user_id,
        amount_minor=amount_minor,
        currency=currency,
        reason="for a test",
        actor_id=user_id,
    )


async def charge(
    database: Database, user_id: UUID, amount_minor: int, *, order_id: UUID | None = None
) -> None:
    await transact(database, charge_credits, order=priced_at(user_id, amount_minor, order_id))


def priced_at(user_id: UUID, amount_minor: int, order_id: UUID | None = None) -> Order:
    return Order(
        event_id=new_id(),
        id=order_id or new_id(),
        reference="ORDER",
        buyer_id=user_id,
        status="CONFIRMED",
        total_minor=amount_minor,
        currency=CURRENCY,
    )


async def balances(database: Database) -> dict[str, int]:
    rows = await database.rows("SELECT currency, balance_minor FROM accounts")
    return {row["currency"]: row["balance_minor"] for row in rows}


async def test_credits_are_given_and_spent_a_movement_each(database: Database) -> None:
    alice = new_id()
    await give(database, alice, 700)
    await give(database, alice, 300)
    await give(database, alice, 50, "USD")
    await charge(database, alice, 400)
    assert await balances(database) == {CURRENCY: 600, "USD": 50}
    rows = await database.rows("SELECT debit, credit, amount_minor, kind FROM movements ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("CORRECTIONS", "CREDITS", 700, "ADJUSTMENT"),
        ("CORRECTIONS", "CREDITS", 300, "ADJUSTMENT"),
        ("CORRECTIONS", "CREDITS", 50, "ADJUSTMENT"),
        ("CREDITS", "REVENUE", 400, "PURCHASE"),
    ]


async def test_who_moved_credits_and_why_is_on_record(database: Database) -> None:
    alice, order_id = new_id(), new_id()
    await give(database, alice, 700)
    await charge(database, alice, 400, order_id=order_id)
    given, spent = await database.rows("SELECT actor_id, reason, reference FROM movements ORDER BY id")
    assert tuple(given) == (alice, "for a test", None)
    assert tuple(spent) == (alice, None, order_id)


async def test_what_an_account_does_not_have_is_not_spent(database: Database) -> None:
    alice = new_id()
    await give(database, alice, 700)
    before = await everything(database)
    refused = await refusal_of(charge(database, alice, 701))
    assert (refused.code, refused.missing) == (RefusalCode.INSUFFICIENT_CREDITS, (1, CURRENCY))
    stranger = await refusal_of(charge(database, new_id(), 5))
    assert stranger.missing == (5, CURRENCY)
    assert await everything(database) == before
    await charge(database, alice, 700)
    assert await balances(database) == {CURRENCY: 0}


async def test_a_price_of_nothing_needs_no_account(database: Database) -> None:
    await charge(database, new_id(), 0)
    assert not await database.rows("SELECT 1 FROM movements")


async def test_a_second_payment_waits_for_the_first_and_sees_what_it_left(database: Database) -> None:
    alice = new_id()
    await give(database, alice, 700)
    async with database.transaction() as first:
        await charge_credits(first, priced_at(alice, 400))
        second = asyncio.create_task(charge(database, alice, 400))
        await until_somebody_waits(database)
    assert (await refusal_of(second)).missing == (100, CURRENCY)
    assert await balances(database) == {CURRENCY: 300}


async def test_gifts_and_payments_at_once_are_all_in_the_balance(database: Database) -> None:
    alice = new_id()
    await give(database, alice, 1_000)
    moves = [give(database, alice, 7) for _ in range(10)] + [charge(database, alice, 100) for _ in range(10)]
    await asyncio.gather(*moves)
    assert await balances(database) == {CURRENCY: 70}


async def test_one_order_is_charged_once(database: Database) -> None:
    alice, order_id = new_id(), new_id()
    await give(database, alice, 700)
    await charge(database, alice, 100, order_id=order_id)
    before = await everything(database)
    with pytest.raises(asyncpg.UniqueViolationError, match="movements_one_purchase_an_order"):
        await charge(database, alice, 100, order_id=order_id)
    assert await everything(database) == before


@pytest.mark.parametrize("amount_minor", [0, -5])
async def test_nothing_and_less_is_never_given(database: Database, amount_minor: int) -> None:
    alice = new_id()
    await give(database, alice, 700)
    before = await everything(database)
    with pytest.raises(AssertionError, match="more than nothing"):
        await give(database, alice, amount_minor)
    assert await everything(database) == before
