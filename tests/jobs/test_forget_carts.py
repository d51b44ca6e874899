"""Carts that nobody has changed for 30 days are deleted."""

import asyncio

from database import Database
from jobs.forget_carts import forget_carts_once
from steps.add_to_cart import Wanted, add_to_cart
from steps.carts import forget_carts
from steps.transact import transact
from tests.carts import adding, cart_of, contents, let_cart_age, put_seats
from tests.world import new_event, new_user


async def test_only_what_is_lapsed_is_deleted_in_bounded_rounds(database: Database) -> None:
    event = await new_event(database)
    people = [await new_user(database) for _ in range(4)]
    for person, days in zip(people, (31, 30, 29, 0), strict=True):
        await put_seats(database, person, event, 0, 1)
        await let_cart_age(database, person, days)
    assert await transact(database, forget_carts, carts_max=1) == 1
    assert [await forget_carts_once(database) for _ in range(2)] == [1, 0]
    for table in ("carts", "cart_items"):
        left = {row["user_id"] for row in await database.rows(f"SELECT user_id FROM {table}")}
        assert left == {people[2].id, people[3].id}


async def test_a_cart_that_is_being_changed_is_left_alone(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    await put_seats(database, alice, event, 0)
    await let_cart_age(database, alice, 31)
    async with database.transaction() as tx, asyncio.timeout(10):
        await add_to_cart(tx, **adding(alice, event, Wanted(1, None, None)))
        assert await forget_carts_once(database) == 0
    assert await forget_carts_once(database) == 0
    assert contents(await cart_of(database, alice)) == [(event.id, 1, 1)]
