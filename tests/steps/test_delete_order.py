"""Deleting orders that were never paid."""

from uuid import UUID

from database import Database
from jobs.check_invariants import violations
from models.orders import Order
from models.users import User
from steps.cancel import cancel_order
from steps.confirm import confirm_order
from steps.delete_order import delete_order
from steps.idempotency import Key
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.world import everything, hold, let_lapse, letters, new_event, new_user, pay, refusal_of


async def delete(database: Database, order: Order, key: Key | None = None) -> tuple[UUID, UUID]:
    return await transact(database, delete_order, event_id=order.event_id, order_id=order.id, key=key)


async def cancelled(database: Database, buyer: User, order: Order) -> Order:
    return await transact(
        database,
        cancel_order,
        caller_id=buyer.id,
        any_buyer=False,
        event_id=order.event_id,
        order_id=order.id,
    )


async def test_an_order_that_was_not_paid_is_gone_and_its_seats_are_free(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    held = await hold(database, alice, event, [0, 1])
    gone = await cancelled(database, alice, await hold(database, alice, event, [2]))
    lapsed = await hold(database, alice, event, [3, 4])
    await let_lapse(database, lapsed)
    await hold(database, bob, event, [4])
    for order in (held, gone, lapsed):
        assert await delete(database, order) == (event.id, order.id)
    assert await letters(database, event) == "AAAAHAAAAA"
    assert len(await database.rows("SELECT 1 FROM orders")) == 1
    assert await violations(database) == []


async def test_an_order_that_was_paid_is_never_deleted(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    paid = await pay(database, alice, await hold(database, alice, event, [0]))
    at_counter = await hold(database, alice, event, [1])
    await transact(database, confirm_order, cashier_id=alice.id, event_id=event.id, order_id=at_counter.id)
    before = await everything(database)
    for order in (paid, at_counter):
        assert (await refusal_of(delete(database, order))).code is RefusalCode.ORDER_INVALID_STATE
    assert await everything(database) == before


async def test_a_deleted_order_is_not_found_but_by_the_key_that_deleted_it(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    reserved = Key.of(alice.id, "reserve", "k", {})
    order = await hold(database, alice, event, [0], key=reserved)
    key = Key.of(alice.id, "deleteOrder", "k", {"order": order.id})
    await delete(database, order, key)
    after = await everything(database)
    assert await delete(database, order, key) == (event.id, order.id)
    assert (await refusal_of(delete(database, order))).code is RefusalCode.ORDER_NOT_FOUND
    again = await refusal_of(hold(database, alice, event, [0], key=reserved))
    assert again.code is RefusalCode.ORDER_NOT_FOUND
    assert await everything(database) == after
