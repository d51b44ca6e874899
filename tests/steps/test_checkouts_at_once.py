"""Checkouts that meet each other, and other buyers: all of a cart is held, or nothing."""

import asyncio

import pytest

from database import Database
from jobs.check_invariants import violations
from steps.checkout import checkout_cart
from steps.choose import GeneralAdmission
from steps.delete_user import delete_user
from steps.refusals import RefusalCode, Refused
from steps.reserve import ChosenSeats, reserve_seats
from steps.transact import transact
from tests.carts import cart_of, checked_out, put_places, put_seats
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


async def test_a_cart_checked_out_twice_at_once_gives_one_set_of_orders(database: Database) -> None:
    one, other, alice = await new_event(database), await new_event(database), await new_user(database)
    await put_seats(database, alice, one, 0)
    await put_seats(database, alice, other, 0)
    async with database.transaction() as first:
        await checkout_cart(first, buyer_id=alice.id, limits=LIMITS)
        second = asyncio.create_task(checked_out(database, alice))
        await until_somebody_waits(database)
    assert (await refusal_of(second)).code is RefusalCode.CART_EMPTY
    assert len(await database.rows("SELECT FROM orders")) == 2
    assert await violations(database) == []


async def test_somebody_who_has_one_of_the_seats_in_hand_is_in_the_way_of_all(database: Database) -> None:
    one, other = await new_event(database), await new_event(database)
    alice, bob = await new_user(database), await new_user(database)
    await put_seats(database, alice, one, 0, 1)
    await put_seats(database, alice, other, 0)
    before = await everything(database)
    async with database.transaction() as rival:
        given = {"buyer_id": bob.id, "event_id": other.id, "limits": LIMITS}
        await reserve_seats(rival, selection=ChosenSeats((0, 1)), **given)
        refused = await refusal_of(checked_out(database, alice))
        assert (refused.code, refused.seats) == (RefusalCode.SEAT_UNAVAILABLE, ((other.id, 0),))
        assert await everything(database) == before
    assert await letters(database, one) == "A" * 10
    assert len((await cart_of(database, alice)).lines) == 3


async def test_a_checkout_that_is_under_way_is_in_the_way_of_others_until_it_is_given_up(
    database: Database,
) -> None:
    one, other = await new_event(database), await new_event(database)
    alice, bob = await new_user(database), await new_user(database)
    await put_seats(database, alice, one, 0)
    await put_seats(database, alice, other, 0)
    before = await everything(database)
    with pytest.raises(ConnectionResetError):
        async with database.transaction() as tx:
            await checkout_cart(tx, buyer_id=alice.id, limits=LIMITS)
            refused = await refusal_of(hold(database, bob, other, [0, 1]))
            assert refused.seats == ((other.id, 0),)
            raise ConnectionResetError
    assert await everything(database) == before
    await hold(database, bob, other, [0, 1])
    assert (await refusal_of(checked_out(database, alice))).seats == ((other.id, 0),)


async def test_events_are_locked_in_one_order_whatever_the_order_in_the_cart(database: Database) -> None:
    events = [await new_event(database, await priced(0, standing=2)) for _ in range(2)]
    low, high = sorted(events, key=lambda event: event.id)
    alice, bob = await new_user(database), await new_user(database)
    await put_places(database, alice, high, 0, 2)
    await put_places(database, alice, low, 0, 2)
    async with database.transaction() as rival:
        given = {"buyer_id": bob.id, "limits": LIMITS, "selection": GeneralAdmission(((0, 1),))}
        await reserve_seats(rival, event_id=low.id, **given)
        waiting = asyncio.create_task(checked_out(database, alice))
        await until_somebody_waits(database)
        await reserve_seats(rival, event_id=high.id, **given)
    refused = await refusal_of(waiting)
    assert refused.code is RefusalCode.NOT_ENOUGH_SEATS
    assert refused.message.count("(Standing)") == 2


async def test_many_carts_at_once_sell_no_seat_twice_and_leave_no_half_orders(database: Database) -> None:
    events = [await new_event(database, await priced(1, 5, standing=6)) for _ in range(3)]
    people = [await new_user(database) for _ in range(12)]
    for number, person in enumerate(people):
        for event in events[number % 3 :] + events[: number % 3]:
            await put_seats(database, person, event, number % 5)
            await put_places(database, person, event, 1, 1)
    rush = await asyncio.gather(*(checked_out(database, p) for p in people), return_exceptions=True)
    assert all(isinstance(outcome, list | Refused) for outcome in rush)
    alone = [await asyncio.gather(checked_out(database, p), return_exceptions=True) for p in people]
    done = [outcome for outcome in [*rush, *(each for (each,) in alone)] if isinstance(outcome, list)]
    assert [len(orders) for orders in done] == [3] * 5
    for event in events:
        assert "".join(sorted(await letters(database, event))) == "A" + 10 * "H"
    assert await violations(database) == []


async def test_nobody_is_deleted_who_is_checking_out(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    await put_seats(database, alice, event, 0)
    async with database.transaction() as first:
        await checkout_cart(first, buyer_id=alice.id, limits=LIMITS)
        deletion = asyncio.create_task(transact(database, delete_user, user_id=alice.id))
        await until_somebody_waits(database)
    assert (await refusal_of(deletion)).code is RefusalCode.USER_HAS_TICKETS
    assert await letters(database, event) == "HAAAAAAAAA"
