"""Two at once at the same seats: who waits, who passes by, and what is left."""

import asyncio
import random

from database import Database, Transaction
from models.catalogue import Event
from models.orders import Order
from models.users import User
from steps.cancel import cancel_order
from steps.pay import pay_order
from steps.refusals import RefusalCode, Refused
from steps.release import release_lapsed
from steps.reserve import ChosenSeats, reserve_seats
from steps.transact import transact
from tests.world import (
    CURRENCY,
    LIMITS,
    an_hour_later,
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


async def hold_in(tx: Transaction, buyer: User, event: Event, *indexes: int) -> Order:
    return await reserve_seats(
        tx, buyer_id=buyer.id, event_id=event.id, selection=ChosenSeats(indexes), limits=LIMITS
    )


async def pay_in(tx: Transaction, order: Order) -> Order:
    return await pay_order(
        tx,
        buyer_id=order.buyer_id,
        event_id=order.event_id,
        order_id=order.id,
        credits_currency=CURRENCY,
    )


async def cancel_in(tx: Transaction, order: Order) -> Order:
    return await cancel_order(
        tx, caller_id=order.buyer_id, any_buyer=False, event_id=order.event_id, order_id=order.id
    )


async def sweep(database: Database) -> int:
    return await transact(database, release_lapsed, orders_max=10)


async def sweep_in_an_hour(database: Database) -> int:
    async with database.transaction() as tx, an_hour_later(tx):
        return await release_lapsed(tx, orders_max=10)


def seats_in_the_way(refused: Refused) -> tuple[RefusalCode, list[int]]:
    return refused.code, [index for _, index in refused.seats]


async def test_wishes_that_overlap_in_any_order_are_refused_with_the_overlap(database: Database) -> None:
    event = await new_event(database)
    alice, bob, carol = [await new_user(database) for _ in range(3)]
    async with database.transaction() as first:
        await hold_in(first, alice, event, 1, 2)
        bobs = await refusal_of(hold(database, bob, event, [2, 1]))
        carols = await refusal_of(hold(database, carol, event, [3, 2]))
    assert seats_in_the_way(bobs) == (RefusalCode.SEAT_UNAVAILABLE, [1, 2])
    assert seats_in_the_way(carols) == (RefusalCode.SEAT_UNAVAILABLE, [2])
    assert await letters(database, event) == "AHHAAAAAAA"


async def test_the_same_seats_in_many_orders_at_once_have_at_most_one_buyer(database: Database) -> None:
    event, wish, dice = await new_event(database), list(range(6)), random.Random(1)
    buyers = [await new_user(database) for _ in range(12)]
    wishes = [dice.sample(wish, len(wish)) for _ in buyers]
    attempts = [hold(database, buyer, event, one) for buyer, one in zip(buyers, wishes, strict=True)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert {one.code for one in refused} == {RefusalCode.SEAT_UNAVAILABLE}
    assert len(refused) >= len(buyers) - 1
    assert len(await database.rows("SELECT 1 FROM orders")) == len(buyers) - len(refused)
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert failed == refused


async def test_sold_seats_and_seats_in_flight_are_refused_together(database: Database) -> None:
    event = await new_event(database)
    alice, bob, carol = [await new_user(database, credits_minor=2_000) for _ in range(3)]
    await pay(database, alice, await hold(database, alice, event, [0]))
    async with database.transaction() as first:
        await hold_in(first, bob, event, 1)
        refused = await refusal_of(hold(database, carol, event, [0, 1, 2]))
    assert seats_in_the_way(refused) == (RefusalCode.SEAT_UNAVAILABLE, [0, 1])


async def test_a_seat_that_is_being_paid_is_in_the_way_and_then_sold(database: Database) -> None:
    event, bob = await new_event(database), await new_user(database)
    alice = await new_user(database, credits_minor=2_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as first:
        await pay_in(first, order)
        during = await refusal_of(hold(database, bob, event, [0]))
    after = await refusal_of(hold(database, bob, event, [0]))
    assert (during.code, after.code) == (RefusalCode.SEAT_UNAVAILABLE, RefusalCode.SEAT_ALREADY_SOLD)


async def test_a_hold_that_lapses_while_it_is_being_paid_is_taken_by_nobody(database: Database) -> None:
    event, bob = await new_event(database), await new_user(database)
    alice = await new_user(database, credits_minor=2_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as paying:
        await pay_in(paying, order)
        async with database.transaction() as late, an_hour_later(late):
            refused = await refusal_of(hold_in(late, bob, event, 0))
        assert await sweep_in_an_hour(database) == 0
    assert refused.code is RefusalCode.SEAT_UNAVAILABLE
    assert await sweep_in_an_hour(database) == 0
    assert await letters(database, event) == "SAAAAAAAAA"


async def test_pay_waits_for_the_sweep_and_finds_the_hold_expired(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=2_000)
    order = await hold(database, alice, event, [0])
    await let_lapse(database, order)
    async with database.transaction() as sweeping:
        assert await release_lapsed(sweeping, orders_max=10) == 1
        paying = asyncio.create_task(pay(database, alice, order))
        await until_somebody_waits(database)
    assert (await refusal_of(paying)).code is RefusalCode.HOLD_EXPIRED
    assert await letters(database, event) == "A" * 10


async def test_pay_waits_for_whoever_takes_its_lapsed_seat_and_takes_nothing_back(database: Database) -> None:
    event, bob = await new_event(database), await new_user(database)
    alice = await new_user(database, credits_minor=2_000)
    order = await hold(database, alice, event, [0, 1])
    await let_lapse(database, order)
    async with database.transaction() as taking:
        bobs = await hold_in(taking, bob, event, 1)
        paying = asyncio.create_task(pay(database, alice, order))
        await until_somebody_waits(database)
    assert (await refusal_of(paying)).code is RefusalCode.HOLD_EXPIRED
    seats = await database.rows("SELECT order_id, status FROM seats WHERE index < 2 ORDER BY index")
    assert [tuple(seat) for seat in seats] == [(order.id, "H"), (bobs.id, "H")]
    assert not await database.rows("SELECT 1 FROM movements WHERE kind = 'PURCHASE'")


async def test_cancel_waits_for_the_sweep_and_finds_the_order_over(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    await let_lapse(database, order)
    async with database.transaction() as sweeping:
        await release_lapsed(sweeping, orders_max=10)
        cancel = asyncio.create_task(
            transact(
                database,
                cancel_order,
                caller_id=alice.id,
                any_buyer=False,
                event_id=event.id,
                order_id=order.id,
            )
        )
        await until_somebody_waits(database)
    assert (await refusal_of(cancel)).code is RefusalCode.ORDER_INVALID_STATE
    assert (await database.rows("SELECT status FROM orders"))[0]["status"] == "EXPIRED"


async def test_the_sweep_passes_by_an_order_that_is_being_cancelled(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as cancelling:
        await cancel_in(cancelling, order)
        assert await sweep_in_an_hour(database) == 0
        assert (await refusal_of(hold(database, bob, event, [0]))).code is RefusalCode.SEAT_UNAVAILABLE
    assert await sweep_in_an_hour(database) == 0
    assert (await database.rows("SELECT status FROM orders"))[0]["status"] == "CANCELLED"
    assert (await hold(database, bob, event, [0])).status == "PENDING"


async def test_a_lapsed_seat_in_the_sweeps_hands_is_had_right_after(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await let_lapse(database, await hold(database, alice, event, [0, 1]))
    async with database.transaction() as sweeping:
        await release_lapsed(sweeping, orders_max=10)
        during = await refusal_of(hold(database, bob, event, [1, 2]))
    assert seats_in_the_way(during) == (RefusalCode.SEAT_UNAVAILABLE, [1])
    await hold(database, bob, event, [1, 2])
    assert await letters(database, event) == "AHHAAAAAAA"


async def test_two_sweeps_at_once_do_not_wait_and_free_each_seat_once(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    await let_lapse(database, await hold(database, alice, event, [0, 1]))
    async with database.transaction() as sweeping:
        assert await release_lapsed(sweeping, orders_max=10) == 1
        assert await sweep(database) == 0
    assert await sweep(database) == 0
    log = await database.rows("SELECT version FROM seat_changes WHERE index < 2 AND status = 'A'")
    assert [row["version"] for row in log] == [2, 2]


async def test_a_buyer_who_goes_away_while_waiting_leaves_nothing(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    await hold(database, alice, event, [9])
    async with database.transaction() as first:
        await hold_in(first, alice, event, 0)
        second = asyncio.create_task(hold(database, alice, event, [1]))
        await until_somebody_waits(database)
        second.cancel()
        await asyncio.wait([second])
    before = await everything(database)
    assert second.cancelled()
    assert await letters(database, event) == "HAAAAAAAAH"
    await asyncio.gather(*(refusal_of(hold(database, alice, event, [0])) for _ in range(20)))
    assert await everything(database) == before
