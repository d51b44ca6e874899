"""Reservations that arrive together: the promises of one alone, for each."""

import asyncio

import pytest

from database import Database
from models.catalogue import Event
from models.orders import Order
from models.users import User
from steps.hold import Limits
from steps.idempotency import Key
from steps.locks import lock_buyers
from steps.refusals import RefusalCode, Refused
from steps.reserve import ChosenSeats, Selection
from steps.reserve_together import Reservations
from tests.world import LIMITS, everything, hold, letters, new_event, new_user, refusal_of


@pytest.fixture
def reservations(database: Database) -> Reservations:
    return Reservations(database, LIMITS)


def ask(
    reservations: Reservations, buyer: User, event: Event, *indexes: int, key: Key | None = None
) -> "asyncio.Task[Order]":
    selection: Selection = ChosenSeats(indexes)
    return asyncio.create_task(
        reservations.reserve(buyer_id=buyer.id, event_id=event.id, selection=selection, key=key)
    )


async def transactions(database: Database) -> set[str]:
    """The transactions that made the orders there are."""
    return {row["made"] for row in await database.rows("SELECT xmin::text AS made FROM orders")}


async def test_two_who_arrive_together_share_a_transaction(
    database: Database, reservations: Reservations
) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    orders = await asyncio.gather(ask(reservations, alice, event, 1, 0, 1), ask(reservations, bob, event, 5))
    assert [(o.buyer_id, o.total_minor) for o in orders] == [(alice.id, 2_000), (bob.id, 1_000)]
    assert await letters(database, event) == "HHAAAHAAAA"
    assert len(await transactions(database)) == 1


async def test_the_refused_of_a_batch_leave_nothing_and_the_others_hold(
    database: Database, reservations: Reservations
) -> None:
    event, carol = await new_event(database), await new_user(database)
    alice, bob = await new_user(database), await new_user(database)
    await hold(database, carol, event, [3])
    key = Key.of(bob.id, "reserve", "k", {})
    order, refused = await asyncio.gather(
        ask(reservations, alice, event, 0),
        ask(reservations, bob, event, 2, 3, key=key),
        return_exceptions=True,
    )
    assert isinstance(refused, Refused)
    assert (refused.code, refused.seats) == (RefusalCode.SEAT_UNAVAILABLE, ((event.id, 3),))
    assert not isinstance(order, BaseException)
    assert await letters(database, event) == "HAAHAAAAAA"
    buyers = {row["user_id"] for row in await database.rows("SELECT user_id FROM buyers")}
    assert buyers == {alice.id, carol.id}
    assert not await database.rows("SELECT 1 FROM idempotency_keys")


async def test_two_for_one_seat_get_it_once(database: Database, reservations: Reservations) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    first, second = ask(reservations, alice, event, 0, 1), ask(reservations, bob, event, 1, 2)
    assert (await first).buyer_id == alice.id
    refused = await refusal_of(second)
    assert (refused.code, refused.seats) == (RefusalCode.SEAT_UNAVAILABLE, ((event.id, 1),))
    assert await letters(database, event) == "HHAAAAAAAA"


async def test_one_buyer_at_once_never_has_more_than_the_limit(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    reservations = Reservations(database, Limits(300, seats_per_order_max=2, seats_per_buyer_max=3))
    asked = [ask(reservations, alice, event, 2 * number, 2 * number + 1) for number in range(4)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    codes = [result.code for result in results if isinstance(result, Refused)]
    assert codes == [RefusalCode.TOO_MANY_SEATS] * 3
    assert (await letters(database, event)).count("H") == 2


async def test_a_wrong_number_of_seats_is_refused_and_changes_nothing(
    database: Database, reservations: Reservations
) -> None:
    event, alice = await new_event(database), await new_user(database)
    before = await everything(database)
    await refusal_of(ask(reservations, alice, event))
    await refusal_of(ask(reservations, alice, event, *range(LIMITS.seats_per_order_max + 1)))
    assert await everything(database) == before


async def test_twins_under_one_key_hold_once_and_another_input_is_refused(
    database: Database, reservations: Reservations
) -> None:
    event, alice = await new_event(database), await new_user(database)
    key, other = (Key.of(alice.id, "reserve", "k", {"seats": seats}) for seats in ([0], [1]))
    twins = [ask(reservations, alice, event, 0, key=key) for _ in range(3)]
    altered = ask(reservations, alice, event, 1, key=other)
    orders = await asyncio.gather(*twins)
    assert len({order.id for order in orders}) == 1
    assert (await refusal_of(altered)).code is RefusalCode.IDEMPOTENCY_MISMATCH
    assert await letters(database, event) == "HAAAAAAAAA"


async def test_who_waits_for_a_lock_does_not_hold_up_the_others(
    database: Database, reservations: Reservations
) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    async with database.transaction() as holder:
        await lock_buyers(holder, event.id, [alice.id])
        waits, goes = ask(reservations, alice, event, 0), ask(reservations, bob, event, 1)
        assert (await goes).buyer_id == bob.id
        assert not waits.done()
    assert (await waits).buyer_id == alice.id
