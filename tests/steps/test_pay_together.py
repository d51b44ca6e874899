"""Payments that arrive together: the promises of one alone, for each."""

import asyncio

import pytest

from database import Database
from models.orders import Order
from models.users import User
from steps.hold import Limits
from steps.idempotency import Key
from steps.pay_together import Payments
from steps.refusals import RefusalCode, Refused
from tests.world import (
    CURRENCY,
    everything,
    hold,
    let_lapse,
    letters,
    new_event,
    new_user,
    priced,
    refusal_of,
)


@pytest.fixture
def payments(database: Database) -> Payments:
    return Payments(database, CURRENCY)


def ask(payments: Payments, buyer: User, order: Order, key: Key | None = None) -> "asyncio.Task[Order]":
    return asyncio.create_task(
        payments.pay(buyer_id=buyer.id, event_id=order.event_id, order_id=order.id, key=key)
    )


async def test_two_who_pay_together_share_a_transaction(database: Database, payments: Payments) -> None:
    event = await new_event(database)
    buyers = [await new_user(database, credits_minor=5_000) for _ in range(2)]
    orders = [await hold(database, buyers[0], event, [4, 2]), await hold(database, buyers[1], event, [7])]
    paid = await asyncio.gather(*map(ask, [payments] * 2, buyers, orders))
    assert [(o.id, o.status, o.held_until) for o in paid] == [(o.id, "CONFIRMED", None) for o in orders]
    assert await letters(database, event) == "AASASAASAA"
    tickets = await database.rows("SELECT index, owner_id, order_id, xmin::text FROM tickets ORDER BY index")
    owners = [
        (2, buyers[0].id, orders[0].id),
        (4, buyers[0].id, orders[0].id),
        (7, buyers[1].id, orders[1].id),
    ]
    assert [tuple(row)[:3] for row in tickets] == owners
    assert len({row["xmin"] for row in tickets}) == 1
    balances = await database.rows("SELECT user_id, balance_minor FROM accounts ORDER BY balance_minor")
    assert [tuple(row) for row in balances] == [(buyers[0].id, 3_000), (buyers[1].id, 4_000)]


async def test_who_cannot_pay_does_not_hold_up_the_others_and_nothing_of_it_stays(
    database: Database, payments: Payments
) -> None:
    event = await new_event(database)
    rich, poor = await new_user(database, credits_minor=5_000), await new_user(database, credits_minor=400)
    orders = [await hold(database, rich, event, [0]), await hold(database, poor, event, [1])]
    key = Key.of(poor.id, "pay", "k", {})
    paid, refused = await asyncio.gather(
        ask(payments, rich, orders[0]), ask(payments, poor, orders[1], key), return_exceptions=True
    )
    assert not isinstance(paid, BaseException)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.missing) == (RefusalCode.INSUFFICIENT_CREDITS, (600, CURRENCY))
    assert await letters(database, event) == "SHAAAAAAAA"
    assert [row["owner_id"] for row in await database.rows("SELECT owner_id FROM tickets")] == [rich.id]
    assert not await database.rows("SELECT 1 FROM idempotency_keys")


async def test_a_free_order_moves_no_money(database: Database, payments: Payments) -> None:
    event, alice = await new_event(database, await priced(price="0.00")), await new_user(database)
    paid = await ask(payments, alice, await hold(database, alice, event, [0]))
    assert paid.status == "CONFIRMED"
    assert not await database.rows("SELECT 1 FROM movements")


async def test_what_cannot_be_paid_is_refused_and_changes_nothing(
    database: Database, payments: Payments
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    bob = await new_user(database, credits_minor=5_000)
    lapsed, foreign, paid = [await hold(database, alice, event, [index]) for index in range(3)]
    await let_lapse(database, lapsed)
    await ask(payments, alice, paid)
    before = await everything(database)
    asked = [ask(payments, alice, lapsed), ask(payments, bob, foreign), ask(payments, alice, paid)]
    codes = [(await refusal_of(each)).code for each in asked]
    assert codes == [
        RefusalCode.HOLD_EXPIRED,
        RefusalCode.ORDER_NOT_FOUND,
        RefusalCode.ORDER_ALREADY_CONFIRMED,
    ]
    assert await everything(database) == before


async def test_one_order_paid_twice_at_once_is_paid_once(database: Database, payments: Payments) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await hold(database, alice, event, [0])
    paid, refused = await asyncio.gather(
        ask(payments, alice, order), ask(payments, alice, order), return_exceptions=True
    )
    assert not isinstance(paid, BaseException)
    assert isinstance(refused, Refused)
    assert refused.code is RefusalCode.ORDER_ALREADY_CONFIRMED
    (row,) = await database.rows("SELECT balance_minor FROM accounts")
    assert row["balance_minor"] == 4_000


async def test_fifty_payments_at_once_of_an_account_that_affords_one(
    database: Database, payments: Payments
) -> None:
    event = await new_event(database, await priced(5, 10))
    alice = await new_user(database, credits_minor=1_000)
    orders = [await hold(database, alice, event, [index], limits=Limits(300, 50, 50)) for index in range(50)]
    results = await asyncio.gather(*(ask(payments, alice, o) for o in orders), return_exceptions=True)
    assert sum(isinstance(result, Refused) for result in results) == 49
    assert (await letters(database, event)).count("S") == 1
    (row,) = await database.rows("SELECT balance_minor FROM accounts")
    assert row["balance_minor"] == 0


async def test_a_repeat_under_its_key_answers_the_order_and_charges_once(
    database: Database, payments: Payments
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order, key = await hold(database, alice, event, [0]), Key.of(alice.id, "pay", "k", {})
    answers = await asyncio.gather(*(ask(payments, alice, order, key) for _ in range(3)))
    answers.append(await ask(payments, alice, order, key))
    assert {(answer.id, answer.status) for answer in answers} == {(order.id, "CONFIRMED")}
    (row,) = await database.rows("SELECT balance_minor FROM accounts")
    assert row["balance_minor"] == 4_000
