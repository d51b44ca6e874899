"""Choosing for a buyer: places of general admission, and the best seats there are."""

import asyncio

import pytest

from database import Database
from steps.choose import BestAvailable, GeneralAdmission
from steps.refusals import RefusalCode, Refused
from steps.reserve import reserve_seats
from tests.world import (
    LIMITS,
    everything,
    hold,
    letters,
    new_event,
    new_user,
    pay,
    priced,
    until_somebody_waits,
)


async def test_general_admission_gives_the_number_asked_for(database: Database) -> None:
    event, alice = await new_event(database, await priced(standing=4)), await new_user(database)
    order = await hold(database, alice, event, GeneralAdmission(((1, 2), (1, 1))))
    assert order.total_minor == 1_500
    assert await letters(database, event) == "A" * 10 + "HHHA"


async def test_general_admission_never_sells_more_than_its_places_and_sells_all_of_them(
    database: Database,
) -> None:
    event = await new_event(database, await priced(rows=0, standing=25))
    buyers = [await new_user(database) for _ in range(16)]

    async def one(buyer: object) -> int:
        try:
            await hold(database, buyer, event, GeneralAdmission(((0, 2),)))  # type: ignore[arg-type]
        except Refused as refused:
            assert refused.code is RefusalCode.NOT_ENOUGH_SEATS
            return 0
        return 2

    taken = sum(await asyncio.gather(*(one(buyer) for buyer in buyers)))
    assert taken == 24
    last = await hold(database, buyers[0], event, GeneralAdmission(((0, 1),)))
    assert last.status == "PENDING"
    assert await letters(database, event) == "H" * 25
    with pytest.raises(Refused):
        await hold(database, buyers[0], event, GeneralAdmission(((0, 1),)))


async def test_places_in_flight_are_waited_for_before_they_are_said_to_be_gone(database: Database) -> None:
    event = await new_event(database, await priced(rows=0, standing=2))
    alice, bob = await new_user(database), await new_user(database)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as first:
            await reserve_seats(
                first,
                buyer_id=alice.id,
                event_id=event.id,
                selection=GeneralAdmission(((0, 2),)),
                limits=LIMITS,
            )
            second = asyncio.create_task(hold(database, bob, event, GeneralAdmission(((0, 2),))))
            await until_somebody_waits(database)
            raise ZeroDivisionError
    assert (await second).buyer_id == bob.id


async def test_a_tier_that_is_not_of_this_kind_is_refused(database: Database) -> None:
    event, alice = await new_event(database, await priced(standing=5)), await new_user(database)
    before = await everything(database)
    for wish, code in (
        (GeneralAdmission(((0, 1),)), RefusalCode.VALIDATION_ERROR),
        (GeneralAdmission(((7, 1),)), RefusalCode.TIER_NOT_FOUND),
        (GeneralAdmission(((1, 0),)), RefusalCode.VALIDATION_ERROR),
        (GeneralAdmission(((1, 6),)), RefusalCode.NOT_ENOUGH_SEATS),
        (BestAvailable(1, 1), RefusalCode.VALIDATION_ERROR),
        (BestAvailable(1, 7), RefusalCode.TIER_NOT_FOUND),
        (BestAvailable(-1), RefusalCode.VALIDATION_ERROR),
        (BestAvailable(11), RefusalCode.TOO_MANY_SEATS),
    ):
        with pytest.raises(Refused) as refused:
            await hold(database, alice, event, wish)
        assert refused.value.code is code, wish
    assert await everything(database) == before


async def test_the_best_seats_are_together_in_the_first_row(database: Database) -> None:
    event, alice = await new_event(database, await priced(rows=3, seats_a_row=7)), await new_user(database)
    await hold(database, alice, event, BestAvailable(3, 0))
    assert "HHH" in (await letters(database, event))[:7]


async def test_buyers_of_the_best_seats_at_once_all_get_some_and_nobody_the_same(database: Database) -> None:
    event = await new_event(database, await priced(rows=6, seats_a_row=10))
    buyers = [await new_user(database) for _ in range(12)]

    async def one(buyer: object) -> None:
        for _ in range(20):
            try:
                await hold(database, buyer, event, BestAvailable(4))  # type: ignore[arg-type]
                return
            except Refused as refused:
                assert refused.code is RefusalCode.BUSY

    await asyncio.gather(*(one(buyer) for buyer in buyers))
    assert (await letters(database, event)).count("H") == 48


async def test_best_available_says_when_there_are_not_enough(database: Database) -> None:
    event = await new_event(database)
    alice, bob = await new_user(database, credits_minor=20_000), await new_user(database)
    await pay(database, alice, await hold(database, alice, event, list(range(8))))
    with pytest.raises(Refused) as refused:
        await hold(database, bob, event, BestAvailable(3))
    assert refused.value.code is RefusalCode.NOT_ENOUGH_SEATS
    await hold(database, bob, event, BestAvailable(2))
    assert await letters(database, event) == "SSSSSSSSHH"
