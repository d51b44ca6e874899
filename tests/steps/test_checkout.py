"""The checkout: all that is in a cart is held, one order an event, or nothing, and all obstacles are told."""

import asyncio

import pytest

from database import Database
from jobs.check_invariants import violations
from models.orders import Order
from models.users import User
from steps.cancel import cancel_order
from steps.choose import GeneralAdmission
from steps.hold import Limits
from steps.idempotency import Key
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.carts import cart_of, checked_out, contents, let_be, put_places, put_seats, set_price
from tests.codes import code_sent_to, flagged_user, order_reference, requested, verified
from tests.world import (
    LIMITS,
    everything,
    hold,
    letters,
    new_event,
    new_user,
    pay,
    priced,
    refusal_of,
)


def key_of(user: User, key: str = "k") -> Key:
    return Key.of(user.id, "checkout", key, {})


def known(orders: list[Order]) -> list[tuple[object, ...]]:
    return [(order.event_id, order.id, order.status, order.total_minor) for order in orders]


async def test_a_cart_becomes_one_order_an_event_at_todays_prices_and_is_empty(database: Database) -> None:
    one, other = await new_event(database, await priced(standing=5)), await new_event(database)
    alice = await new_user(database, credits_minor=10_000)
    await put_seats(database, alice, other, 3)
    await put_places(database, alice, one, 1, 2)
    await put_seats(database, alice, one, 9, 0)
    await set_price(database, other, 1_100)
    orders = await checked_out(database, alice)
    assert [(order.event_id, order.status, order.total_minor) for order in orders] == [
        (other.id, "PENDING", 1_100),
        (one.id, "PENDING", 3_000),
    ]
    assert await letters(database, one) == "HAAAAAAAAH" + "HHAAA"
    assert await letters(database, other) == "AAAHAAAAAA"
    assert await cart_of(database, alice) == await cart_of(database, await new_user(database))
    for order in orders:
        await pay(database, alice, order)
    assert await violations(database) == []


async def test_everything_in_the_way_is_told_at_every_event_and_nothing_is_held(database: Database) -> None:
    one = await new_event(database, await priced(standing=5), name="One")
    other, last = await new_event(database, name="Other"), await new_event(database, name="Last")
    alice, bob = await new_user(database), await new_user(database, credits_minor=10_000)
    await put_seats(database, alice, other, 0, 9)
    await put_seats(database, alice, one, 2, 5, 6)
    await put_places(database, alice, one, 1, 3)
    await put_seats(database, alice, last, 1)
    await hold(database, bob, one, [2, 5])
    await hold(database, bob, one, GeneralAdmission(((1, 3),)))
    await pay(database, bob, await hold(database, bob, other, [9]))
    before = await everything(database)
    refused = await refusal_of(checked_out(database, alice))
    assert refused.code is RefusalCode.SEAT_UNAVAILABLE
    assert refused.seats == ((other.id, 9), (one.id, 2), (one.id, 5))
    assert refused.message == (
        "Other: These seats are sold. (Parkett, row 2, seat 5) "
        "One: There are not enough seats left. (Standing) "
        "One: Some of these seats are not available any more. "
        "(Parkett, row 1, seat 3; Parkett, row 2, seat 1)"
    )
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("are_sold", "code"),
    [
        ((True, True), RefusalCode.SEAT_ALREADY_SOLD),
        ((True, False), RefusalCode.SEAT_UNAVAILABLE),
        ((False, False), RefusalCode.SEAT_UNAVAILABLE),
    ],
)
async def test_the_code_is_that_of_all_seats_together(
    database: Database, are_sold: tuple[bool, bool], code: RefusalCode
) -> None:
    alice, bob = await new_user(database), await new_user(database, credits_minor=10_000)
    for is_sold in are_sold:
        event = await new_event(database)
        await put_seats(database, alice, event, 0)
        order = await hold(database, bob, event, [0])
        if is_sold:
            await pay(database, bob, order)
    before = await everything(database)
    refused = await refusal_of(checked_out(database, alice))
    assert (refused.code, len(refused.seats)) == (code, 2)
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("change", "limits", "code"),
    [
        ("sales_end_at = now()", LIMITS, RefusalCode.EVENT_NOT_ON_SALE),
        ("name = 'Show'", Limits(300, 1, 20), RefusalCode.TOO_MANY_SEATS),
        ("name = 'Show'", Limits(300, 10, 2), RefusalCode.TOO_MANY_SEATS),
    ],
)
async def test_the_rules_are_those_of_reserve(
    database: Database, change: str, limits: Limits, code: RefusalCode
) -> None:
    event, other, alice = await new_event(database), await new_event(database), await new_user(database)
    await put_seats(database, alice, other, 0)
    await put_seats(database, alice, event, 0, 1)
    await hold(database, alice, event, [2])
    await let_be(database, event, change)
    before = await everything(database)
    refused = await refusal_of(checked_out(database, alice, limits=limits))
    assert refused.code is code
    assert refused.message.startswith("Show: ")
    assert await everything(database) == before


async def test_after_the_sale_that_is_what_is_in_the_way_and_not_that_all_is_sold(database: Database) -> None:
    event, alice = await new_event(database, await priced(0, standing=1)), await new_user(database)
    await put_places(database, alice, event, 0)
    await hold(database, await new_user(database), event, GeneralAdmission(((0, 1),)))
    await let_be(database, event, "sales_end_at = now()")
    before = await everything(database)
    assert (await refusal_of(checked_out(database, alice))).code is RefusalCode.EVENT_NOT_ON_SALE
    assert await everything(database) == before


async def test_an_empty_cart_is_refused_and_so_is_one_of_which_all_fell_out(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    assert (await refusal_of(checked_out(database, alice))).code is RefusalCode.CART_EMPTY
    await put_seats(database, alice, event, 0)
    await let_be(database, event, "status = 'CANCELLED'")
    before = await everything(database)
    assert (await refusal_of(checked_out(database, alice))).code is RefusalCode.CART_EMPTY
    assert await everything(database) == before
    assert len((await cart_of(database, alice)).notices) == 1


async def test_what_fell_out_is_in_nobodys_way_and_is_still_told(database: Database) -> None:
    event, other, alice = await new_event(database), await new_event(database), await new_user(database)
    await put_seats(database, alice, event, 0)
    await put_seats(database, alice, other, 0)
    await let_be(database, event, "status = 'CANCELLED'")
    (order,) = await checked_out(database, alice)
    assert order.event_id == other.id
    cart = await cart_of(database, alice)
    assert contents(cart) == []
    assert [notice.message for notice in cart.notices] == ["Show is cancelled; it has left the cart."]


async def test_a_key_holds_once_and_answers_with_the_orders_as_they_are_now(database: Database) -> None:
    one, other = await new_event(database), await new_event(database)
    alice = await new_user(database, credits_minor=10_000)
    await put_seats(database, alice, one, 0)
    await put_seats(database, alice, other, 0)
    twins = await asyncio.gather(*(checked_out(database, alice, key=key_of(alice)) for _ in range(30)))
    assert len({tuple(known(orders)) for orders in twins}) == 1
    assert len(await database.rows("SELECT FROM orders")) == 2
    first, second = twins[0]
    await pay(database, alice, first)
    await put_seats(database, alice, one, 5)
    again = await checked_out(database, alice, key=key_of(alice))
    assert [(order.id, order.status) for order in again] == [(first.id, "CONFIRMED"), (second.id, "PENDING")]
    assert contents(await cart_of(database, alice)) == [(one.id, 5, 1)]
    (third,) = await checked_out(database, alice, key=key_of(alice, "another"))
    assert known(await checked_out(database, alice, key=key_of(alice, "another"))) == known([third])
    altered = Key.of(alice.id, "checkout", "k", {"more": True})
    refused = await refusal_of(checked_out(database, alice, key=altered))
    assert refused.code is RefusalCode.IDEMPOTENCY_MISMATCH
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM order_items WHERE order_id = $1", third.id)
        await tx.rows("UPDATE seats SET status = 'A', held_until = NULL, order_id = NULL WHERE index = 5")
        await tx.rows("DELETE FROM orders WHERE id = $1", third.id)
    refused = await refusal_of(checked_out(database, alice, key=key_of(alice, "another")))
    assert refused.code is RefusalCode.ORDER_NOT_FOUND


async def test_a_key_that_was_refused_may_try_again(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await put_seats(database, alice, event, 0)
    order = await hold(database, bob, event, [0])
    refused = await refusal_of(checked_out(database, alice, key=key_of(alice)))
    assert refused.code is RefusalCode.SEAT_UNAVAILABLE
    given = {"caller_id": bob.id, "any_buyer": False, "event_id": event.id, "order_id": order.id}
    await transact(database, cancel_order, **given)
    assert len(await checked_out(database, alice, key=key_of(alice))) == 1


async def test_a_flagged_buyer_pays_each_order_of_a_checkout_with_a_code_of_its_own(
    database: Database,
) -> None:
    one, other = await new_event(database), await new_event(database)
    alice = await flagged_user(database, await new_user(database, credits_minor=10_000))
    await put_seats(database, alice, one, 0)
    await put_seats(database, alice, other, 0)
    orders = await checked_out(database, alice)
    before = await everything(database)
    for order in orders:
        assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.OTP_REQUIRED
    assert await everything(database) == before
    await requested(database, alice, order_reference(orders[0]))
    await verified(database, alice, order_reference(orders[0]), await code_sent_to(database, alice))
    assert (await refusal_of(pay(database, alice, orders[1]))).code is RefusalCode.OTP_REQUIRED
    assert (await pay(database, alice, orders[0])).status == "CONFIRMED"
