"""What leaves with a commit: a version and a row of the log for each change, and word to the relay."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from database import Database
from models.catalogue import Event
from models.orders import Order
from models.users import User
from steps.cancel import cancel_order
from steps.choose import BestAvailable, GeneralAdmission
from steps.release import release_lapsed
from steps.transact import transact
from tests.world import hold, let_lapse, new_event, new_user, pay, priced, refusal_of

Verb = Callable[[Database, User, Event, Order], Awaitable[object]]


async def hold_lapsed(database: Database, buyer: User, event: Event, order: Order) -> None:
    await let_lapse(database, order)
    await hold(database, buyer, event, [0, 1])


async def hold_places(database: Database, buyer: User, event: Event, _: Order) -> None:
    await hold(database, buyer, event, GeneralAdmission(((1, 2),)))


async def hold_best(database: Database, buyer: User, event: Event, _: Order) -> None:
    await hold(database, buyer, event, BestAvailable(2))


async def pay_it(database: Database, buyer: User, _: Event, order: Order) -> None:
    await pay(database, buyer, order)


async def cancel_it(database: Database, buyer: User, event: Event, order: Order) -> None:
    await transact(
        database, cancel_order, caller_id=buyer.id, any_buyer=False, event_id=event.id, order_id=order.id
    )


async def release_it(database: Database, _: User, __: Event, order: Order) -> None:
    await let_lapse(database, order)
    await transact(database, release_lapsed, orders_max=10)


async def seats_of(database: Database) -> dict[int, tuple[int, str]]:
    rows = await database.rows("SELECT index, version, status FROM seats")
    return {row["index"]: (row["version"], row["status"]) for row in rows}


async def log_of(database: Database) -> list[tuple[int, int, str]]:
    rows = await database.rows("SELECT index, version, status FROM seat_changes ORDER BY index, version")
    return [(row["index"], row["version"], row["status"]) for row in rows]


@pytest.mark.parametrize(
    ("verb", "changed", "letter"),
    [
        (hold_lapsed, {0, 1}, "H"),
        (hold_places, {10, 11}, "H"),
        (hold_best, None, "H"),
        (pay_it, {0, 1}, "S"),
        (cancel_it, {0, 1}, "A"),
        (release_it, {0, 1}, "A"),
    ],
)
async def test_each_change_is_one_version_and_one_row_of_the_log(
    database: Database, verb: Verb, changed: set[int] | None, letter: str
) -> None:
    event = await new_event(database, await priced(standing=3))
    alice = await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0, 1])
    before, log = await seats_of(database), await log_of(database)
    told: list[set[UUID]] = []
    database.on_commit = told.append
    await verb(database, alice, event, order)
    after = await seats_of(database)
    touched = {index for index in after if after[index] != before[index]}
    assert len(touched) == 2
    assert changed in (None, touched)
    expected = [(index, before[index][0] + 1, letter) for index in sorted(touched)]
    assert [(index, *after[index]) for index in sorted(touched)] == expected
    assert await log_of(database) == sorted(log + expected)
    assert told == [{event.id}]


async def test_a_refusal_tells_nobody(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    told: list[set[UUID]] = []
    database.on_commit = told.append
    await refusal_of(hold(database, bob, event, [0, 2]))
    await refusal_of(pay(database, alice, order))
    await refusal_of(cancel_it(database, bob, event, order))
    assert await transact(database, release_lapsed, orders_max=10) == 0
    assert told == []
