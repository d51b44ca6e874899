"""Giving back what is held."""

import asyncio

from database import Database
from models.columns import new_id
from models.orders import Order
from models.users import User
from steps.cancel import cancel_order
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
)


async def cancel(
    database: Database, caller: User, order: Order, *, any_buyer: bool = False, key: Key | None = None
) -> Order:
    return await transact(
        database,
        cancel_order,
        caller_id=caller.id,
        any_buyer=any_buyer,
        event_id=order.event_id,
        order_id=order.id,
        key=key,
    )


async def test_the_seats_are_free_again_and_the_order_is_over(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await cancel(database, alice, await hold(database, alice, event, [0, 1]))
    assert (order.status, order.held_until) == ("CANCELLED", None)
    assert await letters(database, event) == "A" * 10
    log = await database.rows("SELECT status FROM seat_changes WHERE version = 2")
    assert [row["status"] for row in log] == ["A", "A"]


async def test_a_stranger_cannot_and_who_runs_events_can(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    before = await everything(database)
    assert (await refusal_of(cancel(database, bob, order))).code is RefusalCode.ORDER_NOT_FOUND
    unknown = Order(event_id=event.id, id=new_id())
    assert (await refusal_of(cancel(database, alice, unknown))).code is RefusalCode.ORDER_NOT_FOUND
    assert await everything(database) == before
    assert (await cancel(database, bob, order, any_buyer=True)).status == "CANCELLED"


async def test_only_a_pending_order_in_its_time_is_cancelled(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    paid = await hold(database, alice, event, [0])
    await pay(database, alice, paid)
    lapsed = await hold(database, alice, event, [1])
    await let_lapse(database, lapsed)
    gone = await cancel(database, alice, await hold(database, alice, event, [2]))
    before = await everything(database)
    for order in (paid, lapsed, gone):
        refused = await refusal_of(cancel(database, alice, order))
        assert refused.code is RefusalCode.ORDER_INVALID_STATE
    assert await everything(database) == before


async def test_cancelling_under_one_key_at_once_cancels_once(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    key = Key.of(alice.id, "cancelOrder", "k", {"order": order.id})
    gone = await asyncio.gather(*(cancel(database, alice, order, key=key) for _ in range(5)))
    assert {(one.id, one.status) for one in gone} == {(order.id, "CANCELLED")}
    assert len(await database.rows("SELECT 1 FROM seat_changes WHERE status = 'A'")) == 1
    await hold(database, bob, event, [0])
    before = await everything(database)
    assert (await cancel(database, alice, order, key=key)).status == "CANCELLED"
    assert await everything(database) == before


async def test_a_seat_that_went_to_somebody_else_is_not_freed_with_the_order(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    await let_lapse(database, order)
    await hold(database, bob, event, [1])
    async with database.transaction() as tx:  # as if the hold had been made longer in the meantime
        await tx.rows("UPDATE orders SET held_until = now() + interval '1 minute' WHERE id = $1", order.id)
    await cancel(database, alice, order)
    assert await letters(database, event) == "AHAAAAAAAA"
