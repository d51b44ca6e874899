"""Running a step: again where it may be, and errors of the database as what they mean."""

import asyncio
from functools import partial
from typing import Any

import asyncpg
import pytest

from database import Database, Transaction
from models.orders import Order
from settings import Settings
from steps.create_catalogue import create_hall, create_venue
from steps.idempotency import Key
from steps.refusals import InFlight, RefusalCode
from steps.reserve import ChosenSeats, reserve_seats
from steps.transact import TRIES_MAX, Unavailable, transact
from tests.world import LIMITS, hold, new_event, new_user, pay, refusal_of


async def test_a_deadlock_runs_the_step_again(database: Database) -> None:
    alice, bob = sorted([await new_user(database), await new_user(database)], key=lambda user: user.id)
    met = asyncio.Barrier(2)
    runs: list[int] = []

    async def step(tx: Transaction, *, order: list[object], number: int) -> None:
        runs.append(number)
        await tx.rows("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE", order[0])
        if len(runs) <= 2:
            await met.wait()
        await tx.rows("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE", order[1])

    await asyncio.gather(
        transact(database, step, order=[alice.id, bob.id], number=1),
        transact(database, step, order=[bob.id, alice.id], number=2),
    )
    assert len(runs) == 3


async def test_a_step_that_never_succeeds_ends_in_busy(database: Database) -> None:
    runs = []

    async def step(tx: Transaction) -> None:
        runs.append(1)
        await tx.rows("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    refused = await refusal_of(transact(database, step))
    assert (refused.code, refused.retry_after_seconds, len(runs)) == (RefusalCode.BUSY, 1, TRIES_MAX)


async def test_a_lock_that_does_not_come_is_busy_and_not_tried_again(
    settings: Settings, database: Database
) -> None:
    hurried = Database(settings.model_copy(update={"lock_timeout_ms": 20}))
    alice = await new_user(database)
    runs = []

    async def step(tx: Transaction) -> None:
        runs.append(1)
        await tx.rows("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE", alice.id)

    async with database.transaction() as first:
        await first.rows("SELECT 1 FROM users FOR NO KEY UPDATE")
        refused = await refusal_of(transact(hurried, step))
    assert (refused.code, len(runs)) == (RefusalCode.BUSY, 1)
    await hurried.close()


async def test_a_statement_that_takes_too_long_is_busy_and_not_tried_again(settings: Settings) -> None:
    hurried = Database(settings.model_copy(update={"statement_timeout_ms": 100}))
    runs = []

    async def step(tx: Transaction) -> None:
        runs.append(1)
        await tx.rows("SELECT pg_sleep(10)")

    refused = await refusal_of(transact(hurried, step))
    assert (refused.code, len(runs)) == (RefusalCode.BUSY, 1)
    await hurried.close()


async def test_a_connection_that_does_not_come_is_busy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("database.POOL_WAIT_SECONDS", 0.05)
    crowded = Database(settings.model_copy(update={"database_pool_size": 2}))

    async def step(tx: Transaction) -> None:
        raise AssertionError

    async with crowded.transaction(), crowded.transaction():
        assert (await refusal_of(transact(crowded, step))).code is RefusalCode.BUSY
    await crowded.close()


async def test_a_reference_that_is_taken_by_chance_is_made_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    for module in ("steps.hold", "steps.sell"):
        references = iter(["SAME", "SAME", "NEXT"])
        monkeypatch.setattr(f"{module}.new_reference", partial(next, references))
    orders = [await hold(database, alice, event, [index]) for index in range(2)]
    assert [order.reference for order in orders] == ["SAME", "NEXT"]
    for order in orders:
        await pay(database, alice, order)
    tickets = await database.rows("SELECT reference FROM tickets ORDER BY index")
    assert [row["reference"] for row in tickets] == ["SAME", "NEXT"]


async def test_a_collision_at_the_last_try_is_a_refusal_too(database: Database) -> None:
    runs = []

    async def step(tx: Transaction) -> None:
        runs.append(1)
        if len(runs) == TRIES_MAX:
            raise InFlight(RefusalCode.SEAT_UNAVAILABLE)
        await tx.rows("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")

    assert (await refusal_of(transact(database, step))).code is RefusalCode.SEAT_UNAVAILABLE
    assert len(runs) == TRIES_MAX


async def test_a_lost_answer_to_the_commit_is_no_second_effect_under_a_key(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    key = Key.of(alice.id, "reserve", "k", {"seats": [0]})
    runs = []

    async def step(tx: Transaction, **arguments: Any) -> Order:
        runs.append(1)
        order = await reserve_seats(tx, **arguments)
        if len(runs) == 1:
            await tx.rows("COMMIT")
            pid = await tx.value("SELECT pg_backend_pid()")
            await database.rows("SELECT pg_terminate_backend($1)", pid)
        return order

    wish = {"event_id": event.id, "selection": ChosenSeats((0,)), "limits": LIMITS}
    order = await transact(database, step, buyer_id=alice.id, key=key, **wish)
    assert (order.status, len(runs)) == ("PENDING", 2)
    assert [row["id"] for row in await database.rows("SELECT id FROM orders")] == [order.id]


async def test_a_collision_is_tried_once_more_and_may_wait_then(database: Database) -> None:
    seen = []

    async def step(tx: Transaction) -> None:
        seen.append(tx.may_wait)
        raise InFlight(RefusalCode.SEAT_UNAVAILABLE)

    assert (await refusal_of(transact(database, step))).code is RefusalCode.SEAT_UNAVAILABLE
    assert seen == [False, True]


async def test_a_lost_connection_is_tried_again_only_under_a_key(database: Database) -> None:
    runs = []

    async def step(tx: Transaction, key: object = None) -> int:
        runs.append(1)
        if len(runs) == 1:
            pid = await tx.value("SELECT pg_backend_pid()")
            await database.rows("SELECT pg_terminate_backend($1)", pid)
        return await tx.value("SELECT 7")

    with pytest.raises(Unavailable):
        await transact(database, step)
    runs.clear()
    assert await transact(database, step, key="any") == 7
    assert len(runs) == 2


async def test_an_error_that_nobody_foresaw_stays_itself(database: Database) -> None:
    async def step(tx: Transaction) -> None:
        await tx.rows("SELECT 1/0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await transact(database, step)


async def test_no_database_at_all_is_said_so(settings: Settings) -> None:
    nowhere = Database(settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"}))

    async def step(tx: Transaction) -> None:
        raise AssertionError

    with pytest.raises(Unavailable):
        await transact(nowhere, step)
    await nowhere.close()


async def test_what_a_constraint_forbids_is_a_refusal(database: Database) -> None:
    await new_user(database, email="alice@example.com")
    refused = await refusal_of(new_user(database, email="ALICE@example.com"))
    assert refused.code is RefusalCode.EMAIL_ALREADY_EXISTS
    venue = await transact(database, create_venue, name="House", address="Street 1")
    for code in (None, RefusalCode.VALIDATION_ERROR):
        attempt = transact(database, create_hall, venue_id=venue.id, code="A", name="Hall")
        if code is None:
            await attempt
        else:
            assert (await refusal_of(attempt)).problems[0].field == "input.code"
