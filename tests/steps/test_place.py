"""Money that comes after the hold died: the seats again if all are free, else the money back."""

import asyncio
from collections.abc import Awaitable

import pytest

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.orders import Order
from models.users import User
from payments.provider import News
from payments.simulated import SimulatedProvider
from steps.delete_user import delete_user
from steps.refusals import RefusalCode, Refused
from steps.release import release_lapsed
from steps.reserve import ChosenSeats, reserve_seats
from steps.settle import settle_payment
from steps.transact import transact
from tests.cards import (
    begun_for,
    books,
    charged,
    let_card_lapse,
    order_of,
    paid_back,
    repaired,
    tickets_of,
)
from tests.paying import settled
from tests.world import (
    LIMITS,
    hold,
    letters,
    new_event,
    new_user,
    pay,
    refusal_of,
    until_somebody_waits,
)


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


async def sweep(database: Database) -> int:
    return await transact(database, release_lapsed, orders_max=10)


async def late(
    database: Database, provider: SimulatedProvider, *indexes: int
) -> tuple[Event, User, Order, News]:
    """An order whose hold died while its buyer's card was charged."""
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, list(indexes))
    news = await charged(database, order, provider)
    await let_card_lapse(database, order)
    return event, alice, order, news


async def is_sold(database: Database, order: Order) -> bool:
    found = await order_of(database, order)
    assert await violations(database) == []
    return found.status == "CONFIRMED"


@pytest.mark.parametrize("is_swept", [False, True])
async def test_late_money_takes_the_seats_again_while_all_are_free(
    database: Database, provider: SimulatedProvider, is_swept: bool
) -> None:
    event, _, order, news = await late(database, provider, 0, 1)
    if is_swept:
        assert await sweep(database) == 1
        assert (await letters(database, event), await tickets_of(database, order)) == ("A" * 10, "CC")
        assert await violations(database) == []
    assert await settled(database, news)
    assert await is_sold(database, order)
    assert await letters(database, event) == "SSAAAAAAAA"
    assert await books(database) == {"PROVIDER": -2_000, "REVENUE": 2_000}


async def test_late_money_goes_back_when_a_seat_is_somebody_elses(
    database: Database, provider: SimulatedProvider
) -> None:
    event, _, order, news = await late(database, provider, 0, 1)
    bob = await new_user(database, credits_minor=1_000)
    await pay(database, bob, await hold(database, bob, event, [1]))
    assert await tickets_of(database, order) == "PC"
    assert await settled(database, news)
    assert await violations(database) == []
    assert await tickets_of(database, order) == "CC"
    entries = await database.rows("SELECT status, reason FROM refunds")
    assert [entry["status"] for entry in entries] == ["PENDING"]
    assert "goes back" in entries[0]["reason"]
    assert (await books(database))["ESCROW"] == 2_000
    await repaired(database, provider)
    assert await paid_back(database) == [2_000]
    assert await books(database) == {"CORRECTIONS": -1_000, "REVENUE": 1_000}
    assert await letters(database, event) == "HSAAAAAAAA"
    await sweep(database)
    assert not await is_sold(database, order)
    assert (await order_of(database, order)).status == "EXPIRED"
    assert await letters(database, event) == "ASAAAAAAAA"


async def test_late_money_takes_a_lapsed_seat_from_another_lapsed_card_payment(
    database: Database, provider: SimulatedProvider
) -> None:
    event, _, order, news = await late(database, provider, 0, 1)
    bob = await new_user(database)
    bobs = await hold(database, bob, event, [1, 2])
    bobs_news = await charged(database, bobs, provider)
    await let_card_lapse(database, bobs)
    assert await settled(database, news)
    assert await is_sold(database, order)
    assert (await tickets_of(database, order), await tickets_of(database, bobs)) == ("ACA", "CP")
    assert await settled(database, bobs_news)
    await repaired(database, provider)
    assert not await is_sold(database, bobs)
    assert await paid_back(database) == [2_000]


@pytest.mark.parametrize("is_free", [True, False])
async def test_late_money_keeps_to_the_buyers_limit(
    database: Database, provider: SimulatedProvider, is_free: bool
) -> None:
    event, alice, order, news = await late(database, provider, 0, 1)
    await hold(database, alice, event, [2] if is_free else [2, 3])
    assert await transact(database, settle_payment, provider=provider.name, news=news, seats_per_buyer_max=3)
    assert await is_sold(database, order) is is_free
    await repaired(database, provider)
    assert await paid_back(database) == ([] if is_free else [2_000])


@pytest.mark.parametrize(
    "why",
    [
        "UPDATE events SET status = 'CANCELLED'",
        "UPDATE events SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'",
        "DELETE FROM users",
    ],
)
async def test_money_for_an_event_that_is_off_or_a_person_who_is_gone_goes_back(
    database: Database, provider: SimulatedProvider, why: str
) -> None:
    _event, _, order, news = await late(database, provider, 0)
    async with database.transaction() as tx:
        await tx.rows(why)
    assert await settled(database, news)
    assert (await order_of(database, order)).status == "PENDING"
    await repaired(database, provider)
    assert (await books(database), await paid_back(database)) == ({}, [1_000])


async def test_a_person_who_pays_by_card_is_not_forgotten_meanwhile(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    await charged(database, await hold(database, alice, event, [0]), provider)
    refused = await refusal_of(transact(database, delete_user, user_id=alice.id))
    assert refused.code is RefusalCode.USER_HAS_TICKETS


async def test_money_for_an_order_that_changed_since_goes_back(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    news = await begun_for(database, order, provider)
    await settled(database, await provider.play(news.reference, "failed"))
    async with database.transaction() as tx:
        await tx.rows("UPDATE orders SET total_minor = 1000")
        await tx.rows("DELETE FROM tickets WHERE index = 1")
        await tx.rows("DELETE FROM order_items WHERE index = 1")
        await tx.rows("UPDATE seats SET status = 'A', held_until = NULL, order_id = NULL WHERE index = 1")
    fresh = await begun_for(database, order, provider)
    assert fresh.reference != news.reference
    assert await settled(database, await provider.play(news.reference, "succeeded"))
    assert (await order_of(database, order)).payment_id == fresh.payment_id
    assert await settled(database, await provider.play(fresh.reference, "succeeded"))
    await repaired(database, provider)
    assert ((await order_of(database, order)).status, await paid_back(database)) == ("CONFIRMED", [2_000])


# Interleavings: one transaction is held open, and the other one runs to its end or to where it waits.


async def test_settlement_waits_for_the_sweep_and_takes_the_seats_again(
    database: Database, provider: SimulatedProvider
) -> None:
    event, _, order, news = await late(database, provider, 0, 1)
    async with database.transaction() as sweeping:
        assert await release_lapsed(sweeping, orders_max=10) == 1
        settling = asyncio.create_task(settled(database, news))
        await until_somebody_waits(database)
    assert await settling
    assert await is_sold(database, order)
    assert await letters(database, event) == "SSAAAAAAAA"


async def test_the_sweep_passes_by_what_is_being_settled(
    database: Database, provider: SimulatedProvider
) -> None:
    _event, _, order, news = await late(database, provider, 0)
    async with database.transaction() as settling:
        await settle_payment(settling, provider=provider.name, news=news)
        assert await sweep(database) == 0
    assert await sweep(database) == 0
    assert await is_sold(database, order)


@pytest.mark.parametrize("is_swept", [False, True])
async def test_settlement_waits_for_whoever_takes_the_lapsed_seat_and_sends_the_money_back(
    database: Database, provider: SimulatedProvider, is_swept: bool
) -> None:
    event, _, order, news = await late(database, provider, 0, 1)
    bob = await new_user(database)
    if is_swept:
        assert await sweep(database) == 1
    async with database.transaction() as taking:
        bobs = await reserve_seats(
            taking, buyer_id=bob.id, event_id=event.id, selection=ChosenSeats((1,)), limits=LIMITS
        )
        settling = asyncio.create_task(settled(database, news))
        await until_somebody_waits(database)
    assert await settling
    assert not await is_sold(database, order)
    (seat,) = await database.rows("SELECT order_id FROM seats WHERE index = 1")
    assert seat["order_id"] == bobs.id
    await repaired(database, provider)
    assert await paid_back(database) == [2_000]


async def test_nobody_takes_a_lapsed_seat_that_is_being_settled(
    database: Database, provider: SimulatedProvider
) -> None:
    event, _, order, news = await late(database, provider, 0, 1)
    bob = await new_user(database)
    async with database.transaction() as settling:
        await settle_payment(settling, provider=provider.name, news=news)
        refused = await refusal_of(hold(database, bob, event, [1]))
    assert refused.code is RefusalCode.SEAT_UNAVAILABLE
    assert await is_sold(database, order)


async def test_a_second_settlement_waits_for_the_first_and_finds_nothing_to_do(
    database: Database, provider: SimulatedProvider
) -> None:
    _event, _, order, news = await late(database, provider, 0)
    async with database.transaction() as first:
        assert await settle_payment(first, provider=provider.name, news=news)
        second = asyncio.create_task(settled(database, news))
        await until_somebody_waits(database)
    assert not await second
    assert await is_sold(database, order)
    assert len(await database.rows("SELECT 1 FROM movements")) == 1


async def test_many_who_want_the_lapsed_seats_and_the_late_money_leave_one_owner(
    database: Database, provider: SimulatedProvider
) -> None:
    event, _, order, news = await late(database, provider, 0, 1)
    rivals = [await new_user(database) for _ in range(8)]
    wishes: list[Awaitable[object]] = [hold(database, rival, event, [1, 0]) for rival in rivals]
    outcomes = await asyncio.gather(settled(database, news), sweep(database), *wishes, return_exceptions=True)
    refused = [outcome for outcome in outcomes[2:] if isinstance(outcome, Refused)]
    held = [outcome for outcome in outcomes[2:] if outcome not in refused]
    assert (outcomes[0], len(held)) in {(True, 0), (True, 1)}
    assert await is_sold(database, order) is (not held)
    await repaired(database, provider)
    assert await paid_back(database) == ([2_000] if held else [])
    assert await violations(database) == []


async def test_late_money_waits_for_what_its_buyer_reserves_now_and_keeps_to_the_limit(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice, order, news = await late(database, provider, 0, 1)
    async with database.transaction() as reserving:
        await reserve_seats(
            reserving, buyer_id=alice.id, event_id=event.id, selection=ChosenSeats((2, 3)), limits=LIMITS
        )
        settling = asyncio.create_task(
            transact(database, settle_payment, provider=provider.name, news=news, seats_per_buyer_max=3)
        )
        await until_somebody_waits(database)
    assert await settling
    assert not await is_sold(database, order)
