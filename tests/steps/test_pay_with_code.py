"""A flagged buyer pays only with a code that was verified for that very order."""

import asyncio
from datetime import timedelta

import pytest

from database import Database
from models.catalogue import Event
from models.orders import Order
from models.users import User
from steps.add_items import add_order_items
from steps.pay import pay_order
from steps.pay_together import Payments
from steps.refusals import RefusalCode
from steps.reserve import ChosenSeats
from steps.transact import transact
from tests.codes import code_sent_to, flagged_user, order_reference, other_than, requested, tried, verified
from tests.world import (
    CURRENCY,
    LIMITS,
    everything,
    hold,
    letters,
    new_event,
    new_user,
    pay,
    priced,
    refusal_of,
    until_somebody_waits,
)


@pytest.fixture
async def event(database: Database) -> Event:
    return await new_event(database)


@pytest.fixture
async def alice(database: Database) -> User:
    return await flagged_user(database, await new_user(database, credits_minor=9_000))


async def prove(database: Database, user: User, order: Order) -> None:
    await requested(database, user, order_reference(order))
    await verified(database, user, order_reference(order), await code_sent_to(database, user))


async def test_without_a_verified_code_nothing_is_paid(database: Database, event: Event, alice: User) -> None:
    order, other = await hold(database, alice, event, [0]), await hold(database, alice, event, [1])
    await prove(database, alice, other)
    before = await everything(database)
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.OTP_REQUIRED
    assert await everything(database) == before
    await requested(database, alice, order_reference(order))
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.OTP_REQUIRED
    await prove(database, alice, order)
    assert (await pay(database, alice, order)).status == "CONFIRMED"
    assert await letters(database, event) == "SHAAAAAAAA"


async def test_a_code_that_was_verified_counts_until_it_expires(
    database: Database, event: Event, alice: User
) -> None:
    order = await hold(database, alice, event, [0])
    await prove(database, alice, order)
    async with database.transaction() as tx:
        await tx.rows("UPDATE codes SET verified_at = sent_at, expires_at = statement_timestamp()")
    before = await everything(database)
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.OTP_REQUIRED
    assert await everything(database) == before


async def test_what_is_free_of_charge_needs_the_code_too(database: Database, alice: User) -> None:
    order = await hold(database, alice, await new_event(database, await priced(price="0")), [0])
    before = await everything(database)
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.OTP_REQUIRED
    assert await everything(database) == before
    await prove(database, alice, order)
    await pay(database, alice, order)
    assert not await database.rows("SELECT 1 FROM movements WHERE kind = 'PURCHASE'")


async def test_who_is_flagged_and_poor_is_asked_for_the_code_first(database: Database, event: Event) -> None:
    poor = await flagged_user(database, await new_user(database))
    order = await hold(database, poor, event, [0])
    assert (await refusal_of(pay(database, poor, order))).code is RefusalCode.OTP_REQUIRED
    await prove(database, poor, order)
    refused = await refusal_of(pay(database, poor, order))
    assert (refused.code, refused.missing) == (RefusalCode.INSUFFICIENT_CREDITS, (1_000, CURRENCY))


async def test_a_flagged_buyer_does_not_hold_up_those_who_pay_at_the_same_time(
    database: Database, event: Event, alice: User
) -> None:
    bob, payments = await new_user(database, credits_minor=9_000), Payments(database, CURRENCY)
    alices, bobs = await hold(database, alice, event, [0]), await hold(database, bob, event, [1])
    asked = [
        payments.pay(buyer_id=order.buyer_id, event_id=event.id, order_id=order.id, key=None)
        for order in (alices, bobs)
    ]
    refused, paid = await asyncio.gather(refusal_of(asked[0]), asked[1])
    assert (refused.code, paid.status) == (RefusalCode.OTP_REQUIRED, "CONFIRMED")
    assert await letters(database, event) == "HSAAAAAAAA"
    await prove(database, alice, alices)
    await payments.pay(buyer_id=alice.id, event_id=event.id, order_id=alices.id, key=None)
    assert await letters(database, event) == "SSAAAAAAAA"


async def test_an_ordinary_buyer_pays_with_as_many_statements_as_before(
    database: Database, event: Event
) -> None:
    """The order and its seats, the sale, the charge: who is flagged is found out by the last of them."""
    bob = await new_user(database, credits_minor=9_000)
    order = await hold(database, bob, event, [0])
    statements: list[str] = []
    async with database.transaction() as tx:
        tx.driver.add_query_logger(count := lambda logged: statements.append(logged.query))
        await pay_order(tx, buyer_id=bob.id, event_id=event.id, order_id=order.id, credits_currency=CURRENCY)
        tx.driver.remove_query_logger(count)
    assert len(statements) == 3


async def test_pay_waits_for_the_code_that_is_being_verified(
    database: Database, event: Event, alice: User
) -> None:
    order = await hold(database, alice, event, [0])
    await requested(database, alice, order_reference(order))
    code = await code_sent_to(database, alice)
    async with database.transaction() as tx:
        await tried(tx, alice, order_reference(order), code)
        paying = asyncio.create_task(pay(database, alice, order))
        await until_somebody_waits(database)
    assert (await paying).status == "CONFIRMED"


async def test_pay_waits_for_the_third_wrong_try_and_finds_the_order_cancelled(
    database: Database, event: Event, alice: User
) -> None:
    order = await hold(database, alice, event, [0])
    await prove(database, alice, order)
    for _ in range(2):
        await refusal_of(verified(database, alice, order_reference(order), "no"))
    async with database.transaction() as tx:
        await tried(tx, alice, order_reference(order), "no")
        paying = asyncio.create_task(pay(database, alice, order))
        await until_somebody_waits(database)
    assert (await refusal_of(paying)).code is RefusalCode.ORDER_INVALID_STATE
    assert await letters(database, event) == "A" * 10
    ((balance,),) = await database.rows("SELECT balance_minor FROM accounts")
    assert balance == 9_000


async def test_the_third_wrong_try_waits_for_pay_and_undoes_nothing(
    database: Database, event: Event, alice: User
) -> None:
    order = await hold(database, alice, event, [0])
    await prove(database, alice, order)
    for _ in range(2):
        await refusal_of(verified(database, alice, order_reference(order), "no"))
    async with database.transaction() as tx:
        await pay_order(
            tx, buyer_id=alice.id, event_id=event.id, order_id=order.id, credits_currency=CURRENCY
        )
        trying = asyncio.create_task(refusal_of(verified(database, alice, order_reference(order), "no")))
        await until_somebody_waits(database)
    assert (await trying).code is RefusalCode.ORDER_ALREADY_CONFIRMED
    assert await letters(database, event) == "S" + "A" * 9
    ((tries,),) = await database.rows("SELECT tries FROM codes")
    assert tries == 2


async def test_the_sweep_that_ends_a_hold_and_a_wrong_try_come_to_one_end(
    database: Database, event: Event, alice: User
) -> None:
    """A hold that has lapsed is past codes, whoever writes it down first."""
    order = await hold(database, alice, event, [0])
    await requested(database, alice, order_reference(order))
    wrong = other_than(await code_sent_to(database, alice))
    async with database.transaction() as tx:
        for table in ("orders", "seats"):
            await tx.rows(
                f"UPDATE {table} SET held_until = held_until - $1::interval WHERE held_until IS NOT NULL",
                timedelta(hours=2),
            )
    refused = await refusal_of(verified(database, alice, order_reference(order), wrong))
    assert refused.code is RefusalCode.HOLD_EXPIRED


async def test_a_code_for_fewer_seats_does_not_pay_for_more(
    database: Database, event: Event, alice: User
) -> None:
    order = await hold(database, alice, event, [0])
    await prove(database, alice, order)
    added = {"caller_id": alice.id, "any_buyer": False, "event_id": event.id, "order_id": order.id}
    await transact(database, add_order_items, **added, selection=ChosenSeats((1,)), limits=LIMITS)
    before = await everything(database)
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.OTP_REQUIRED
    assert await everything(database) == before
    async with database.transaction() as tx:  # else the pause between two codes is not over
        await tx.rows("UPDATE codes SET sent_at = sent_at - interval '1 minute'")
    await prove(database, alice, order)
    assert (await pay(database, alice, order)).status == "CONFIRMED"
