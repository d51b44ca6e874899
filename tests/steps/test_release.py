"""Ending holds whose time is over."""

from database import Database
from steps.release import release_lapsed
from steps.reserve import ChosenSeats, reserve_seats
from steps.transact import transact
from tests.world import LIMITS, hold, let_lapse, letters, new_event, new_user


async def release(database: Database, orders_max: int = 10) -> int:
    return await transact(database, release_lapsed, orders_max=orders_max)


async def statuses(database: Database) -> list[str]:
    return [row["status"] for row in await database.rows("SELECT status FROM orders ORDER BY id")]


async def test_lapsed_holds_end_and_others_stay(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await let_lapse(database, await hold(database, alice, event, [0, 1]))
    await hold(database, bob, event, [2])
    assert await release(database) == 1
    assert await letters(database, event) == "AAHAAAAAAA"
    assert await statuses(database) == ["EXPIRED", "PENDING"]
    assert await release(database) == 0


async def test_a_seat_that_went_to_somebody_else_is_left_alone(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await let_lapse(database, await hold(database, alice, event, [0, 1]))
    new = await hold(database, bob, event, [1])
    assert await release(database) == 1
    assert await letters(database, event) == "AHAAAAAAAA"
    (seat,) = await database.rows("SELECT order_id FROM seats WHERE status = 'H'")
    assert seat["order_id"] == new.id


async def test_a_seat_in_somebodys_hands_keeps_its_order_for_the_next_time(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await let_lapse(database, await hold(database, alice, event, [0, 1]))
    async with database.transaction() as rival:
        await reserve_seats(
            rival,
            buyer_id=bob.id,
            event_id=event.id,
            selection=ChosenSeats((1,)),
            limits=LIMITS,
        )
        assert await release(database) == 0
        assert await statuses(database) == ["PENDING"]
    assert await release(database) == 1
    assert await letters(database, event) == "AHAAAAAAAA"


async def test_at_most_so_many_orders_end_at_once(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    for index in range(3):
        await let_lapse(database, await hold(database, alice, event, [index]))
    assert [await release(database, orders_max=2) for _ in range(3)] == [2, 1, 0]


async def test_an_order_in_somebodys_hands_is_passed_by(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    await let_lapse(database, order)
    await hold(database, bob, event, [0])
    async with database.transaction() as rival:
        await rival.rows("SELECT 1 FROM orders WHERE id = $1 FOR NO KEY UPDATE", order.id)
        assert await release(database) == 0
    assert await release(database) == 1
    assert await statuses(database) == ["EXPIRED", "PENDING"]
