"""Paid at the counter: tickets to the buyer, and nothing charged to anybody's credits."""

import asyncio

from database import Database
from jobs.check_invariants import violations
from models.columns import new_id
from models.orders import Order
from models.users import Role, User
from steps.confirm import confirm_order
from steps.idempotency import Key
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.world import (
    everything,
    hold,
    let_lapse,
    letters,
    new_event,
    new_user,
    pay,
    refusal_of,
    until_somebody_waits,
)


async def confirm(database: Database, cashier: User, order: Order, *, key: Key | None = None) -> Order:
    return await transact(
        database,
        confirm_order,
        cashier_id=cashier.id,
        event_id=order.event_id,
        order_id=order.id,
        key=key,
    )


async def test_the_seats_are_sold_and_the_cashier_is_on_record(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=500)
    cashier = await new_user(database, Role.OPERATOR)
    order = await confirm(database, cashier, await hold(database, alice, event, [0, 1]))
    assert (order.status, order.held_until, order.cashier_id) == ("CONFIRMED", None, cashier.id)
    assert await letters(database, event) == "SSAAAAAAAA"
    tickets = await database.rows("SELECT owner_id, status FROM tickets")
    assert [tuple(ticket) for ticket in tickets] == [(alice.id, "ACTIVE")] * 2
    assert not await database.rows("SELECT 1 FROM movements WHERE kind <> 'ADJUSTMENT'")
    assert await violations(database) == []


async def test_only_a_pending_order_in_its_time_is_confirmed(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    paid = await pay(database, alice, await hold(database, alice, event, [0]))
    lapsed = await hold(database, alice, event, [1])
    await let_lapse(database, lapsed)
    before = await everything(database)
    for order, code in (
        (paid, RefusalCode.ORDER_ALREADY_CONFIRMED),
        (lapsed, RefusalCode.HOLD_EXPIRED),
        (Order(event_id=event.id, id=new_id()), RefusalCode.ORDER_NOT_FOUND),
    ):
        assert (await refusal_of(confirm(database, alice, order))).code is code
    assert await everything(database) == before


async def test_an_event_that_is_over_is_not_confirmed(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET starts_at = now() - interval '2 h', ends_at = now()")
    before = await everything(database)
    assert (await refusal_of(confirm(database, alice, order))).code is RefusalCode.EVENT_ENDED
    assert await everything(database) == before


async def test_confirming_waits_for_pay_and_finds_the_order_paid(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as first:
        await confirm_order(first, cashier_id=alice.id, event_id=event.id, order_id=order.id)
        paying = asyncio.create_task(pay(database, alice, order))
        await until_somebody_waits(database)
    assert (await refusal_of(paying)).code is RefusalCode.ORDER_ALREADY_CONFIRMED
    assert not await database.rows("SELECT 1 FROM movements WHERE kind = 'PURCHASE'")


async def test_confirming_under_one_key_at_once_confirms_once(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    key = Key.of(alice.id, "confirmOrder", "k", {"order": order.id})
    done = await asyncio.gather(*(confirm(database, alice, order, key=key) for _ in range(5)))
    assert {one.status for one in done} == {"CONFIRMED"}
    assert len(await database.rows("SELECT 1 FROM tickets")) == 1
