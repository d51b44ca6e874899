"""What people put aside: it adds up, costs what it costs today, and holds nothing."""

import asyncio
from uuid import uuid4

import pytest

from database import Database
from models.carts import CART_ITEMS_MAX
from models.columns import new_id
from steps.add_to_cart import Wanted, add_to_cart
from steps.carts import lock_and_read
from steps.change_cart import clear_cart, remove_cart_item, update_cart_item
from steps.delete_user import delete_user
from steps.hold import Limits
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.carts import adding, cart_of, contents, let_be, let_cart_age, put_places, put_seats, set_price
from tests.world import (
    LIMITS,
    everything,
    hold,
    letters,
    new_event,
    new_user,
    priced,
    refusal_of,
    until_somebody_waits,
)

BEFORE_THE_SALE = "sales_start_at = now() + interval '1 hour'"
AFTER_THE_SALE = "sales_end_at = now() - interval '1 hour'"
OVER = "starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'"


async def test_places_add_up_a_seat_is_there_once_and_nothing_is_held(database: Database) -> None:
    event, alice = await new_event(database, await priced(standing=9)), await new_user(database)
    other = await new_event(database)
    await put_places(database, alice, event, 1)
    await put_seats(database, alice, other, 4, 4)
    cart = await put_places(database, alice, event, 1, 3)
    assert contents(cart) == [(event.id, None, 4), (other.id, 4, 1)]
    assert [line.subtotal_minor for line in cart.lines] == [2_000, 1_000]
    assert cart.notices == []
    assert set(await letters(database, event) + await letters(database, other)) == {"A"}


async def test_a_seat_of_somebody_else_can_be_wished_for(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await hold(database, bob, event, [1])
    assert contents(await put_seats(database, alice, event, 1)) == [(event.id, 1, 1)]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Wanted(None, None, 1), RefusalCode.VALIDATION_ERROR),
        (Wanted(0, 1, 1), RefusalCode.VALIDATION_ERROR),
        (Wanted(0, None, 2), RefusalCode.VALIDATION_ERROR),
        (Wanted(None, 1, 0), RefusalCode.VALIDATION_ERROR),
        (Wanted(None, 1, -1), RefusalCode.VALIDATION_ERROR),
        (Wanted(None, 0, 1), RefusalCode.VALIDATION_ERROR),  # its seats are numbered
        (Wanted(10, None, None), RefusalCode.VALIDATION_ERROR),  # a place of general admission
        (Wanted(99, None, None), RefusalCode.SEAT_NOT_FOUND),
        (Wanted(None, 9, 1), RefusalCode.TIER_NOT_FOUND),
        (Wanted(None, 1, 9), RefusalCode.TOO_MANY_SEATS),
        (Wanted(None, 1, 2**31 - 1), RefusalCode.TOO_MANY_SEATS),
    ],
)
async def test_what_cannot_be_wished_for_stays_out(
    database: Database, wanted: Wanted, code: RefusalCode
) -> None:
    event, alice = await new_event(database, await priced(standing=50)), await new_user(database)
    await put_seats(database, alice, event, 1)
    await put_places(database, alice, event, 1, 1)
    before = await everything(database)
    refused = await refusal_of(transact(database, add_to_cart, **adding(alice, event, wanted)))
    assert refused.code is code
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("status = 'DRAFT'", RefusalCode.EVENT_NOT_FOUND),
        ("status = 'CANCELLED'", RefusalCode.EVENT_NOT_ON_SALE),
        (OVER, RefusalCode.EVENT_ENDED),
        (BEFORE_THE_SALE, RefusalCode.EVENT_NOT_ON_SALE),
        (AFTER_THE_SALE, RefusalCode.EVENT_NOT_ON_SALE),
    ],
)
async def test_what_is_not_on_sale_cannot_be_wished_for(
    database: Database, change: str, code: RefusalCode
) -> None:
    event, alice = await new_event(database), await new_user(database)
    await let_be(database, event, change)
    before = await everything(database)
    assert (await refusal_of(put_seats(database, alice, event, 0))).code is code
    assert await everything(database) == before


async def test_a_cart_has_no_more_of_an_event_than_an_order_and_no_more_items_than_its_most(
    database: Database,
) -> None:
    event, alice = await new_event(database, await priced(8, 10, standing=50)), await new_user(database)
    await put_seats(database, alice, event, *range(9))
    cart = await put_places(database, alice, event, 1, 1)
    before = await everything(database)
    for index, tier in ((9, None), (None, 1)):
        wanted = Wanted(index, tier, None)
        refused = await refusal_of(transact(database, add_to_cart, **adding(alice, event, wanted)))
        assert refused.code is RefusalCode.TOO_MANY_SEATS
    update = {"user_id": alice.id, "item_id": cart.lines[-1].item.id, "quantity": 2, "limits": LIMITS}
    refused = await refusal_of(transact(database, update_cart_item, **update))
    assert refused.code is RefusalCode.TOO_MANY_SEATS
    assert await everything(database) == before
    many = Limits(hold_seconds=300, seats_per_order_max=80, seats_per_buyer_max=80)
    for index in range(9, CART_ITEMS_MAX - 1):
        wanted = Wanted(index, None, None)
        await transact(database, add_to_cart, **adding(alice, event, wanted, many))
    before = await everything(database)
    wanted = Wanted(CART_ITEMS_MAX, None, None)
    refused = await refusal_of(transact(database, add_to_cart, **adding(alice, event, wanted, many)))
    assert refused.code is RefusalCode.TOO_MANY_SEATS
    assert await everything(database) == before
    await transact(database, add_to_cart, **adding(alice, event, Wanted(None, 1, 1), many))


async def test_another_number_is_wanted_and_some_are_taken_out(database: Database) -> None:
    event, alice = await new_event(database, await priced(standing=9)), await new_user(database)
    await put_seats(database, alice, event, 2, 3)
    seat, _, places = (await put_places(database, alice, event, 1, 2)).lines
    update = {"user_id": alice.id, "item_id": places.item.id, "limits": LIMITS}
    await transact(database, update_cart_item, **update, quantity=5)
    assert contents(await cart_of(database, alice))[2] == (event.id, None, 5)
    await transact(database, remove_cart_item, user_id=alice.id, item_id=seat.item.id)
    assert contents(await cart_of(database, alice)) == [(event.id, 3, 1), (event.id, None, 5)]
    await transact(database, clear_cart, user_id=alice.id)
    await transact(database, clear_cart, user_id=alice.id)
    assert contents(await cart_of(database, alice)) == []


async def test_only_what_is_in_ones_own_cart_can_be_changed(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    cart = await put_seats(database, alice, event, 2)
    await put_seats(database, bob, event, 3)
    seat = cart.lines[0].item.id
    before = await everything(database)
    for user, item_id in ((bob, seat), (alice, new_id())):
        given = {"user_id": user.id, "item_id": item_id}
        refused = await refusal_of(transact(database, update_cart_item, **given, quantity=1, limits=LIMITS))
        assert refused.code is RefusalCode.CART_ITEM_NOT_FOUND
        refused = await refusal_of(transact(database, remove_cart_item, **given))
        assert refused.code is RefusalCode.CART_ITEM_NOT_FOUND
    for quantity in (0, -1, 2):
        update = {"user_id": alice.id, "item_id": seat, "quantity": quantity, "limits": LIMITS}
        refused = await refusal_of(transact(database, update_cart_item, **update))
        assert refused.code is RefusalCode.VALIDATION_ERROR
    assert await everything(database) == before


async def test_a_price_that_changed_is_todays_with_a_notice_until_it_is_put_in_anew(
    database: Database,
) -> None:
    event, alice = await new_event(database, await priced(standing=9)), await new_user(database)
    await put_seats(database, alice, event, 7)
    await put_places(database, alice, event, 1, 2)
    await set_price(database, event, 1_250)
    cart = await cart_of(database, alice)
    assert [line.subtotal_minor for line in cart.lines] == [1_250, 2_500]
    assert [notice.message for notice in cart.notices] == [
        "Show: Parkett, row 2, seat 3 costs 12.50 EUR now; it was 10.00 EUR when you put it in.",
        "Show: Standing costs 12.50 EUR now; it was 5.00 EUR when you put it in.",
    ]
    seat, places = (line.item.id for line in cart.lines)
    cart = await put_places(database, alice, event, 1)
    assert [notice.item_id for notice in cart.notices] == [seat]
    await set_price(database, event, 1_000)
    assert [notice.item_id for notice in (await cart_of(database, alice)).notices] == [places]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("status = 'CANCELLED'", "Show is cancelled; it has left the cart."),
        (OVER, "Show is over; it has left the cart."),
    ],
)
async def test_what_takes_place_no_more_falls_out_and_is_told_until_the_next_change(
    database: Database, change: str, sentence: str
) -> None:
    event, other, alice = await new_event(database), await new_event(database), await new_user(database)
    await put_seats(database, alice, other, 1)
    await put_seats(database, alice, event, 0)
    await let_be(database, event, change)
    for _ in range(2):
        cart = await cart_of(database, alice)
        assert contents(cart) == [(other.id, 1, 1)]
        assert [notice.message for notice in cart.notices] == [sentence]
    wanted = Wanted(2, None, None)
    told = await transact(database, add_to_cart, **adding(alice, other, wanted))
    assert [notice.message for notice in told.notices] == [sentence]
    assert (await cart_of(database, alice)).notices == []
    assert len(await database.rows("SELECT FROM cart_items")) == 2


async def test_what_is_not_there_any_more_falls_out_and_can_be_taken_out(database: Database) -> None:
    event, other, alice = await new_event(database), await new_event(database), await new_user(database)
    await put_seats(database, alice, event, 0)
    await put_seats(database, alice, other, 9)
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM seats WHERE event_id = $1 AND index = 9", other.id)
        for table in ("plans", "streams", "seats", "tiers"):
            await tx.rows(f"DELETE FROM {table} WHERE event_id = $1", event.id)
        await tx.rows("DELETE FROM events WHERE id = $1", event.id)
    cart = await cart_of(database, alice)
    assert contents(cart) == []
    assert [notice.message.split(";")[0] for notice in cart.notices] == [
        "An event is not there any more",
        "A seat of Show is not there any more",
    ]
    gone = cart.notices[0].item_id
    update = {"user_id": alice.id, "item_id": gone, "quantity": 1, "limits": LIMITS}
    refused = await refusal_of(transact(database, update_cart_item, **update))
    assert refused.code is RefusalCode.CART_ITEM_NOT_FOUND
    await transact(database, remove_cart_item, user_id=alice.id, item_id=gone)
    assert (await cart_of(database, alice)).notices == []


async def test_a_cart_is_empty_30_days_after_its_last_change(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    await put_seats(database, alice, event, 0)
    await let_cart_age(database, alice, 29)
    await put_seats(database, alice, event, 1)
    await let_cart_age(database, alice, 29)
    assert len((await cart_of(database, alice)).lines) == 2
    await let_cart_age(database, alice, 1)
    assert contents(await cart_of(database, alice)) == []
    assert contents(await put_seats(database, alice, event, 2)) == [(event.id, 2, 1)]


async def test_two_tabs_that_add_at_once_lose_and_double_nothing(database: Database) -> None:
    event, alice = await new_event(database, await priced(standing=9)), await new_user(database)
    wishes = [Wanted(None, 1, 2), Wanted(0, None, None), Wanted(1, None, None)]
    async with database.transaction() as first:
        for wanted in wishes[:2]:
            await add_to_cart(first, **adding(alice, event, wanted))
        tabs = [
            asyncio.create_task(transact(database, add_to_cart, **adding(alice, event, wanted)))
            for wanted in wishes
        ]
        await until_somebody_waits(database)
    await asyncio.gather(*tabs)
    assert sorted(contents(await cart_of(database, alice)), key=repr) == sorted(
        [(event.id, None, 4), (event.id, 0, 1), (event.id, 1, 1)], key=repr
    )


async def test_a_tab_waits_for_another_that_has_only_read_the_cart_to_change_it(database: Database) -> None:
    event, alice = await new_event(database, await priced(standing=9)), await new_user(database)
    await put_places(database, alice, event, 1, 1)
    async with database.transaction() as first:
        (line,) = (await lock_and_read(first, alice.id)).lines
        second = asyncio.create_task(put_places(database, alice, event, 1, 2))
        await until_somebody_waits(database)
        update = {"user_id": alice.id, "item_id": line.item.id, "quantity": 4, "limits": LIMITS}
        await update_cart_item(first, **update)
    assert contents(await second) == [(event.id, None, 6)]


async def test_two_tabs_at_once_keep_the_most_of_an_order(database: Database) -> None:
    event, alice = await new_event(database, await priced(standing=50)), await new_user(database)
    async with database.transaction() as first:
        await add_to_cart(first, **adding(alice, event, Wanted(None, 1, 6)))
        tab = asyncio.create_task(transact(database, add_to_cart, **adding(alice, event, Wanted(None, 1, 5))))
        await until_somebody_waits(database)
    assert (await refusal_of(tab)).code is RefusalCode.TOO_MANY_SEATS
    assert contents(await cart_of(database, alice)) == [(event.id, None, 6)]


async def test_who_is_deleted_meanwhile_leaves_no_cart_behind(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    await put_seats(database, alice, event, 0)
    async with database.transaction() as deletion:
        await delete_user(deletion, user_id=alice.id)
        adding_one = asyncio.create_task(put_seats(database, alice, event, 1))
        await until_somebody_waits(database)
    assert (await refusal_of(adding_one)).code is RefusalCode.USER_NOT_FOUND
    assert not await database.rows("SELECT FROM carts")
    assert not await database.rows("SELECT FROM cart_items")


async def test_nobody_has_no_cart(database: Database) -> None:
    before = await everything(database)
    assert (await refusal_of(transact(database, clear_cart, user_id=uuid4()))).code is (
        RefusalCode.USER_NOT_FOUND
    )
    assert await everything(database) == before
