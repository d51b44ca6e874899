"""More seats in an order that is held, and fewer: all of those named, or none."""

import asyncio
from typing import Any

import pytest

from database import Database, Transaction
from jobs.check_invariants import violations
from models.columns import new_id
from models.orders import Order
from models.users import User
from steps.add_items import add_order_items
from steps.cancel import cancel_order
from steps.choose import BestAvailable, GeneralAdmission
from steps.hold import Limits
from steps.idempotency import Key
from steps.refusals import RefusalCode, Refused
from steps.remove_items import remove_order_items
from steps.reserve import ChosenSeats
from steps.transact import transact
from tests.cards import opened_for, tickets_of
from tests.world import (
    LIMITS,
    Wish,
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


def adding(caller: User, order: Order, wish: Wish, **more: Any) -> dict[str, Any]:
    selection = ChosenSeats(tuple(wish)) if isinstance(wish, list) else wish
    return {
        "caller_id": caller.id,
        "any_buyer": False,
        "event_id": order.event_id,
        "order_id": order.id,
        "selection": selection,
        "limits": LIMITS,
        **more,
    }


async def add(database: Database, caller: User, order: Order, wish: Wish, **more: Any) -> Order:
    return await transact(database, add_order_items, **adding(caller, order, wish, **more))


async def add_in(tx: Transaction, caller: User, order: Order, wish: Wish) -> Order:
    return await add_order_items(tx, **adding(caller, order, wish))


async def remove(database: Database, caller: User, order: Order, indexes: list[int], **more: Any) -> Order:
    given = {"caller_id": caller.id, "any_buyer": False, "event_id": order.event_id, **more}
    return await transact(database, remove_order_items, order_id=order.id, indexes=indexes, **given)


async def items(database: Database, order: Order) -> list[int]:
    rows = await database.rows("SELECT index FROM order_items WHERE order_id = $1 ORDER BY index", order.id)
    return [row["index"] for row in rows]


def seats(refused: Refused) -> tuple[RefusalCode, list[int]]:
    return refused.code, [index for _, index in refused.seats]


async def test_more_seats_are_held_until_the_same_time(database: Database) -> None:
    event, alice = await new_event(database, await priced(standing=5)), await new_user(database)
    order = await hold(database, alice, event, [0])
    more = await add(database, alice, order, [2, 1])
    assert (more.id, more.held_until, more.total_minor) == (order.id, order.held_until, 3_000)
    await add(database, alice, order, GeneralAdmission(((1, 2),)))
    last = await add(database, alice, order, BestAvailable(1))
    assert (last.total_minor, len(await items(database, order))) == (5_000, 6)
    assert (await letters(database, event)).count("H") == 6
    times = await database.rows("SELECT DISTINCT held_until FROM seats WHERE status = 'H'")
    assert [row["held_until"] for row in times] == [order.held_until]
    assert await violations(database) == []


async def test_seats_that_others_have_are_named_and_none_is_added(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    await hold(database, bob, event, [1])
    before = await everything(database)
    for wish, expected in (
        ([1, 2], (RefusalCode.SEAT_UNAVAILABLE, [1])),
        ([0, 2], (RefusalCode.SEAT_UNAVAILABLE, [0])),
        ([99], (RefusalCode.SEAT_NOT_FOUND, [99])),
        ([], (RefusalCode.VALIDATION_ERROR, [])),
    ):
        assert seats(await refusal_of(add(database, alice, order, wish))) == expected
    assert await everything(database) == before


@pytest.mark.parametrize(
    "limits", [Limits(300, seats_per_order_max=2, seats_per_buyer_max=20), Limits(300, 10, 3)]
)
async def test_the_limits_of_an_order_and_of_a_buyer_count_what_is_there(
    database: Database, limits: Limits
) -> None:
    event, alice = await new_event(database), await new_user(database)
    await hold(database, alice, event, [9])
    order = await hold(database, alice, event, [0])
    await add(database, alice, order, [1], limits=limits)
    before = await everything(database)
    refused = await refusal_of(add(database, alice, order, [2], limits=limits))
    assert refused.code is RefusalCode.TOO_MANY_SEATS
    assert await everything(database) == before


async def test_only_ones_own_pending_order_changes(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    bob = await new_user(database)
    held = await hold(database, alice, event, [0, 1])
    paid = await pay(database, alice, await hold(database, alice, event, [2, 3]))
    lapsed = await hold(database, alice, event, [4, 5])
    await let_lapse(database, lapsed)
    before = await everything(database)
    for caller, order, index, code in (
        (bob, held, 0, RefusalCode.ORDER_NOT_FOUND),
        (alice, Order(event_id=event.id, id=new_id()), 0, RefusalCode.ORDER_NOT_FOUND),
        (alice, paid, 2, RefusalCode.ORDER_ALREADY_CONFIRMED),
        (alice, lapsed, 4, RefusalCode.HOLD_EXPIRED),
    ):
        assert (await refusal_of(add(database, caller, order, [8]))).code is code
        assert (await refusal_of(remove(database, caller, order, [index]))).code is code
    assert await everything(database) == before
    await add(database, bob, held, [8], any_buyer=True)
    assert (await remove(database, bob, held, [0], any_buyer=True)).total_minor == 2_000


async def test_what_is_not_on_sale_is_not_added(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET sales_end_at = statement_timestamp()")
    before = await everything(database)
    assert (await refusal_of(add(database, alice, order, [1]))).code is RefusalCode.EVENT_NOT_ON_SALE
    assert await everything(database) == before


async def test_seats_are_given_back_and_the_rest_is_paid(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=1_000)
    bob = await new_user(database)
    order = await hold(database, alice, event, [0, 1, 2])
    fewer = await remove(database, alice, order, [2, 0, 0])
    assert (fewer.status, fewer.total_minor, fewer.held_until) == ("PENDING", 1_000, order.held_until)
    assert await letters(database, event) == "AHAAAAAAAA"
    await hold(database, bob, event, [0])
    await pay(database, alice, order)
    assert await letters(database, event) == "HSAAAAAAAA"
    assert await violations(database) == []


async def test_seats_of_others_none_and_all_are_not_given_back(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    await hold(database, bob, event, [2])
    before = await everything(database)
    for indexes, expected in (
        ([0, 2, 7], (RefusalCode.SEAT_NOT_HELD, [2, 7])),
        ([], (RefusalCode.VALIDATION_ERROR, [])),
        ([0, 1], (RefusalCode.VALIDATION_ERROR, [])),
    ):
        assert seats(await refusal_of(remove(database, alice, order, indexes))) == expected
    assert await everything(database) == before


async def test_a_key_adds_once_and_removes_once(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    key = Key.of(alice.id, "addOrderItems", "k", {"order": order.id})
    await asyncio.gather(*(add(database, alice, order, BestAvailable(1), key=key) for _ in range(5)))
    assert len(await items(database, order)) == 2
    key = Key.of(alice.id, "removeOrderItems", "k", {"order": order.id})
    await asyncio.gather(*(remove(database, alice, order, [0], key=key) for _ in range(5)))
    assert len(await items(database, order)) == 1
    assert await violations(database) == []


async def test_a_hold_that_lapses_while_an_addition_waits_does_not_grow(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    async with database.transaction() as rival:
        await rival.rows("SELECT 1 FROM orders WHERE id = $1 FOR NO KEY UPDATE", order.id)
        more = asyncio.create_task(add(database, alice, order, [2]))
        await until_somebody_waits(database)
        fewer = asyncio.create_task(remove(database, alice, order, [0]))
        for table, key in (("orders", "id"), ("seats", "order_id")):
            await rival.rows(
                f"UPDATE {table} SET held_until = statement_timestamp() - interval '1 s' WHERE {key} = $1",
                order.id,
            )
    assert (await refusal_of(more)).code is RefusalCode.HOLD_EXPIRED
    assert (await refusal_of(fewer)).code is RefusalCode.HOLD_EXPIRED
    assert await items(database, order) == [0, 1]


async def test_cancel_waits_for_an_addition_and_frees_what_was_added(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as first:
        await add_in(first, alice, order, [1, 2])
        attempt = transact(
            database,
            cancel_order,
            caller_id=alice.id,
            any_buyer=False,
            event_id=event.id,
            order_id=order.id,
        )
        cancelling = asyncio.create_task(attempt)
        await until_somebody_waits(database)
    assert (await cancelling).status == "CANCELLED"
    assert await letters(database, event) == "A" * 10
    assert await violations(database) == []


async def test_pay_waits_for_an_addition_and_pays_what_was_added(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=2_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as first:
        await add_in(first, alice, order, [1])
        paying = asyncio.create_task(pay(database, alice, order))
        await until_somebody_waits(database)
    assert (await paying).total_minor == 2_000
    assert await letters(database, event) == "SSAAAAAAAA"
    assert await violations(database) == []


async def test_two_additions_at_once_keep_the_limit(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order, limits = await hold(database, alice, event, [0]), Limits(300, 10, 3)
    wishes = [[1, 2], [3, 4], [5, 6], [7, 8]]
    attempts = [add(database, alice, order, wish, limits=limits) for wish in wishes]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert [one.code for one in refused] == [RefusalCode.TOO_MANY_SEATS] * 3
    assert len(await items(database, order)) == 3
    assert await violations(database) == []


async def test_a_counter_adds_without_the_buyers_limit(database: Database) -> None:
    event, alice, operator = await new_event(database), await new_user(database), await new_user(database)
    order, limits = await hold(database, alice, event, [0]), Limits(300, 10, 1)
    before = await everything(database)
    refused = await refusal_of(add(database, alice, order, [1], limits=limits, any_buyer=True))
    assert refused.code is RefusalCode.TOO_MANY_SEATS
    assert await everything(database) == before
    await add(database, operator, order, [1], limits=limits, any_buyer=True)
    assert await items(database, order) == [0, 1]


async def test_additions_to_two_orders_of_a_buyer_keep_the_buyers_limit(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    limits = Limits(300, 10, 3)
    one, other = [await hold(database, alice, event, [index]) for index in (0, 1)]
    async with database.transaction() as first:
        await add_order_items(first, **adding(alice, one, [2], limits=limits))
        second = asyncio.create_task(add(database, alice, other, [3], limits=limits))
        await until_somebody_waits(database)
    assert (await refusal_of(second)).code is RefusalCode.TOO_MANY_SEATS
    assert await letters(database, event) == "HHHAAAAAAA"


async def test_a_seat_that_a_lapsed_order_lost_is_refused_as_the_hold_that_is_over(
    database: Database,
) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    await let_lapse(database, order)
    await hold(database, bob, event, [1])
    before = await everything(database)
    assert (await refusal_of(remove(database, alice, order, [1]))).code is RefusalCode.HOLD_EXPIRED
    assert await everything(database) == before


async def test_a_seat_whose_buyer_was_paying_by_card_too_long_is_added_without_their_ticket(
    database: Database,
) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    slow = await hold(database, bob, event, [1])
    await opened_for(database, slow)
    await let_lapse(database, slow)
    await add(database, alice, await hold(database, alice, event, [0]), ChosenSeats((1,)))
    assert await tickets_of(database, slow) == "C"
    assert await violations(database) == []
