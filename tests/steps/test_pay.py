"""Paying: money to the house and tickets to the buyer, all at once or not at all."""

import asyncio

import pytest

from database import Database
from models.columns import new_id
from models.orders import Order
from models.users import User
from steps.cancel import cancel_order
from steps.pay import pay_order
from steps.refusals import RefusalCode, Refused
from steps.release import release_lapsed
from steps.transact import transact
from tests.world import (
    CURRENCY,
    everything,
    hold,
    let_lapse,
    letters,
    new_event,
    new_user,
    pay,
    priced,
    refusal_of,
    until_somebody_waits,
)


async def balance(database: Database, user: User) -> int:
    rows = await database.rows("SELECT balance_minor FROM accounts WHERE user_id = $1", user.id)
    return rows[0]["balance_minor"] if rows else 0


def cancelling(order: Order, buyer: User) -> dict[str, object]:
    return {
        "caller_id": buyer.id,
        "any_buyer": False,
        "event_id": order.event_id,
        "order_id": order.id,
    }


async def test_money_moves_and_every_seat_becomes_a_ticket(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await pay(database, alice, await hold(database, alice, event, [0, 1]))
    assert (order.status, order.held_until) == ("CONFIRMED", None)
    assert await letters(database, event) == "SSAAAAAAAA"
    assert await balance(database, alice) == 3_000
    tickets = await database.rows("SELECT * FROM tickets ORDER BY index")
    assert [(t["index"], t["owner_id"], t["status"], t["price_minor"]) for t in tickets] == [
        (0, alice.id, "ACTIVE", 1_000),
        (1, alice.id, "ACTIVE", 1_000),
    ]
    (movement,) = await database.rows("SELECT * FROM movements WHERE kind = 'PURCHASE'")
    assert (movement["debit"], movement["credit"], movement["amount_minor"]) == ("CREDITS", "REVENUE", 2_000)
    assert (movement["event_id"], movement["reference"]) == (event.id, order.id)
    log = await database.rows("SELECT index, version, status FROM seat_changes WHERE version = 2 ORDER BY 1")
    assert [tuple(row) for row in log] == [(0, 2, "S"), (1, 2, "S")]


async def test_too_few_credits_are_refused_with_what_is_missing(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=1_999)
    order = await hold(database, alice, event, [0, 1])
    before = await everything(database)
    refused = await refusal_of(pay(database, alice, order))
    assert (refused.code, refused.missing) == (RefusalCode.INSUFFICIENT_CREDITS, (1, CURRENCY))
    assert await everything(database) == before


async def test_somebody_without_an_account_misses_everything(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    assert (await refusal_of(pay(database, alice, order))).missing == (1_000, CURRENCY)


async def test_a_free_order_is_paid_in_any_currency_without_a_movement(database: Database) -> None:
    event, alice = await new_event(database, await priced(price="0")), await new_user(database)
    order = await hold(database, alice, event, [0])
    paid = await transact(
        database,
        pay_order,
        buyer_id=alice.id,
        event_id=event.id,
        order_id=order.id,
        credits_currency="USD",
    )
    assert paid.status == "CONFIRMED"
    assert not await database.rows("SELECT 1 FROM movements")


async def test_another_currency_is_not_paid_with_credits(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await hold(database, alice, event, [0])
    before = await everything(database)
    attempt = transact(
        database,
        pay_order,
        buyer_id=alice.id,
        event_id=event.id,
        order_id=order.id,
        credits_currency="USD",
    )
    assert (await refusal_of(attempt)).code is RefusalCode.PAYMENT_METHOD_NOT_ALLOWED
    assert await everything(database) == before


async def test_only_the_buyer_pays_and_only_once(database: Database) -> None:
    event = await new_event(database)
    alice = await new_user(database, credits_minor=9_000)
    bob = await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    before = await everything(database)
    assert (await refusal_of(pay(database, bob, order))).code is RefusalCode.ORDER_NOT_FOUND
    unknown = Order(event_id=event.id, id=new_id())
    assert (await refusal_of(pay(database, alice, unknown))).code is RefusalCode.ORDER_NOT_FOUND
    assert await everything(database) == before
    await pay(database, alice, order)
    paid = await everything(database)
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.ORDER_ALREADY_CONFIRMED
    assert await everything(database) == paid


async def test_a_lapsed_hold_is_never_payable(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    await let_lapse(database, order)
    before = await everything(database)
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.HOLD_EXPIRED
    assert await everything(database) == before
    await transact(database, release_lapsed, orders_max=10)
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.HOLD_EXPIRED


async def test_a_hold_is_not_payable_from_its_last_moment_also_in_an_older_transaction(
    database: Database,
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as begun_before:
        await let_lapse(database, order)
        attempt = pay_order(
            begun_before,
            buyer_id=alice.id,
            event_id=event.id,
            order_id=order.id,
            credits_currency=CURRENCY,
        )
        assert (await refusal_of(attempt)).code is RefusalCode.HOLD_EXPIRED


async def test_a_lapsed_hold_whose_seat_went_to_somebody_else_is_never_payable(database: Database) -> None:
    event = await new_event(database)
    alice, bob = await new_user(database, credits_minor=9_000), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    await let_lapse(database, order)
    await hold(database, bob, event, [1])
    before = await everything(database)
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.HOLD_EXPIRED
    assert await everything(database) == before


async def test_the_last_credit_can_be_spent(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=2_000)
    await pay(database, alice, await hold(database, alice, event, [0, 1]))
    assert await balance(database, alice) == 0


async def test_a_hold_that_lost_a_seat_is_not_payable_and_the_rest_stays_unsold(database: Database) -> None:
    event = await new_event(database)
    alice, bob = await new_user(database, credits_minor=9_000), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    await let_lapse(database, order)
    await hold(database, bob, event, [1])
    async with database.transaction() as tx:  # as if the hold had been made longer in the meantime
        for table, key in (("orders", "id"), ("seats", "order_id")):
            later = "held_until = statement_timestamp() + interval '1 minute'"
            await tx.rows(f"UPDATE {table} SET {later} WHERE {key} = $1", order.id)
    before = await everything(database)
    refused = await refusal_of(pay(database, alice, order))
    assert (refused.code, refused.seats) == (RefusalCode.SEAT_NOT_HELD, ((event.id, 1),))
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("status = 'CANCELLED'", RefusalCode.EVENT_NOT_ON_SALE),
        ("starts_at = now() - interval '2 h', ends_at = now() - interval '1 h'", RefusalCode.EVENT_ENDED),
    ],
)
async def test_an_event_that_is_over_or_cancelled_is_not_paid_for(
    database: Database, change: str, code: RefusalCode
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as tx:
        await tx.rows(f"UPDATE events SET {change}")
    before = await everything(database)
    assert (await refusal_of(pay(database, alice, order))).code is code
    assert await everything(database) == before


async def test_a_hold_that_lapses_while_pay_waits_is_not_payable(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as rival:
        await rival.rows("SELECT 1 FROM orders WHERE id = $1 FOR NO KEY UPDATE", order.id)
        paying = asyncio.create_task(pay(database, alice, order))
        await until_somebody_waits(database)
        for table, key in (("orders", "id"), ("seats", "order_id")):
            await rival.rows(
                f"UPDATE {table} SET held_until = statement_timestamp() - interval '1 s' WHERE {key} = $1",
                order.id,
            )
    assert (await refusal_of(paying)).code is RefusalCode.HOLD_EXPIRED
    assert not await database.rows("SELECT 1 FROM tickets")


async def test_pay_waits_for_cancel_and_finds_the_order_cancelled(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as first:
        await cancel_order(first, **cancelling(order, alice))  # type: ignore[arg-type]
        paying = asyncio.create_task(pay(database, alice, order))
        await until_somebody_waits(database)
    assert (await refusal_of(paying)).code is RefusalCode.ORDER_INVALID_STATE
    assert await letters(database, event) == "A" * 10
    assert await balance(database, alice) == 9_000


async def test_cancel_waits_for_pay_and_finds_the_order_paid(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as first:
        await pay_order(
            first,
            buyer_id=alice.id,
            event_id=event.id,
            order_id=order.id,
            credits_currency=CURRENCY,
        )
        attempt = transact(database, cancel_order, **cancelling(order, alice))
        cancel = asyncio.create_task(attempt)
        await until_somebody_waits(database)
    assert (await refusal_of(cancel)).code is RefusalCode.ORDER_INVALID_STATE
    assert await letters(database, event) == "S" + "A" * 9


async def test_paying_twice_at_once_pays_once(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    outcomes = await asyncio.gather(*(pay(database, alice, order) for _ in range(5)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert {one.code for one in refused} == {RefusalCode.ORDER_ALREADY_CONFIRMED}
    assert (len(refused), await balance(database, alice)) == (4, 8_000)


async def test_ten_payments_at_once_from_an_account_that_can_afford_one(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=1_500)
    orders = [await hold(database, alice, event, [index]) for index in range(10)]
    outcomes = await asyncio.gather(
        *(pay(database, alice, order) for order in orders), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert [one.missing for one in refused] == [(500, CURRENCY)] * 9
    assert await balance(database, alice) == 500
    assert (await letters(database, event)).count("S") == 1
