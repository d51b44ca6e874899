"""An event that is called off pays nobody twice, wherever its job was stopped and whoever was at it too."""

import asyncio
from typing import Any

import pytest

from database import Database
from jobs.check_invariants import violations
from jobs.refund_cancelled import refund_cancelled_once
from models.users import User
from payments.simulated import SimulatedProvider
from steps.pay import pay_order
from steps.refund_cancelled import claim_cancellation, orders_left, refund_cancelled
from steps.reserve import ChosenSeats, reserve_seats
from steps.transact import transact
from tests.cards import order_of, paid_back, repaired
from tests.life import a_full_house, called_off, look_now, paid_out
from tests.transfers import bought, credits_of
from tests.world import (
    CURRENCY,
    LIMITS,
    hold,
    letters,
    new_event,
    new_user,
    until_somebody_waits,
)


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=10_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=10_000)


async def test_a_job_that_was_killed_between_any_two_orders_goes_on(
    database: Database, alice: User, bob: User, provider: SimulatedProvider
) -> None:
    event, _ = await a_full_house(database, alice, bob, provider)
    bobs = await credits_of(database, bob)
    await called_off(database, event)
    for round in range(5):  # each time it is killed after one order, and then inside the next one
        await look_now(database)
        claimed = await transact(database, claim_cancellation)
        assert claimed is not None
        named = {"event_id": event.id, "actor_id": claimed["actor_id"]}
        left = await transact(database, orders_left, event_id=event.id, orders_max=50)
        assert len(left) == 5 - round
        await transact(database, refund_cancelled, **named, order_id=left[0])
        if len(left) > 1:
            with pytest.raises(ZeroDivisionError):
                async with database.transaction() as tx:
                    await refund_cancelled(tx, **named, order_id=left[1])
                    raise ZeroDivisionError
        assert await violations(database) == []
    assert await paid_out(database) == 0
    await repaired(database, provider)
    assert (await paid_back(database), await credits_of(database, bob)) == ([1_000], bobs + 1_000)
    assert await violations(database) == []


async def test_a_dead_jobs_event_is_taken_up_by_another_a_minute_later(
    database: Database, alice: User
) -> None:
    event = await new_event(database)
    await bought(database, alice, event)
    await called_off(database, event)
    assert await transact(database, claim_cancellation) is not None
    assert await refund_cancelled_once(database) == 0
    async with database.transaction() as tx:
        await tx.rows("UPDATE cancellations SET look_at = look_at - interval '1 minute'")
    assert await refund_cancelled_once(database) == 1
    assert await credits_of(database, alice) == 10_000


async def test_two_workers_at_once_pay_once(
    database: Database, alice: User, bob: User, provider: SimulatedProvider
) -> None:
    event, orders = await a_full_house(database, alice, bob, provider)
    bobs = await credits_of(database, bob)
    await called_off(database, event)
    named: dict[str, Any] = {"event_id": event.id, "actor_id": alice.id}

    async def worker() -> list[bool]:
        left = await transact(database, orders_left, event_id=event.id, orders_max=50)
        return [await transact(database, refund_cancelled, **named, order_id=id) for id in left]

    done = await asyncio.gather(worker(), worker())
    assert sum(map(sum, done)) == len(orders)
    await repaired(database, provider)
    assert (await paid_back(database), await credits_of(database, bob)) == ([1_000], bobs + 1_000)
    assert await violations(database) == []


async def test_a_second_worker_waits_for_the_first_and_finds_nothing(database: Database, alice: User) -> None:
    event = await new_event(database)
    ticket = await bought(database, alice, event)
    await called_off(database, event)
    named: dict[str, Any] = {"event_id": event.id, "actor_id": alice.id, "order_id": ticket.order_id}
    async with database.transaction() as tx:
        assert await refund_cancelled(tx, **named)
        second = asyncio.create_task(transact(database, refund_cancelled, **named))
        await until_somebody_waits(database)
    assert not await second
    assert await credits_of(database, alice) == 10_000
    assert await violations(database) == []


async def test_who_pays_while_it_is_called_off_is_paid_back(database: Database, alice: User) -> None:
    event = await new_event(database)
    order = await hold(database, alice, event, [0])
    wish = {"buyer_id": alice.id, "event_id": event.id, "order_id": order.id, "credits_currency": CURRENCY}
    async with database.transaction() as tx:
        await pay_order(tx, **wish)
        await called_off(database, event)
        job = asyncio.create_task(refund_cancelled_once(database))
        await until_somebody_waits(database)
    assert await job == 1
    assert ((await order_of(database, order)).status, await credits_of(database, alice)) == (
        "REFUNDED",
        10_000,
    )
    assert await violations(database) == []


async def test_who_reserves_while_it_is_called_off_holds_nothing_in_the_end(
    database: Database, alice: User
) -> None:
    event = await new_event(database)
    async with database.transaction() as tx:
        order = await reserve_seats(
            tx, buyer_id=alice.id, event_id=event.id, selection=ChosenSeats((0,)), limits=LIMITS
        )
        await called_off(database, event)
        assert await paid_out(database) == 0
    assert await paid_out(database) == 1
    assert (await order_of(database, order)).status == "CANCELLED"
    assert await letters(database, event) == "A" * 10
    assert await violations(database) == []
