"""Choosing for a buyer: places of general admission, and the best seats there are."""

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import Any

import orjson
import pytest

from database import Database, Transaction
from models.catalogue import Event
from models.orders import Order
from models.users import User
from steps.choose import BestAvailable, GeneralAdmission
from steps.details import TierDraft, price_plan
from steps.publish import publish_event
from steps.refusals import RefusalCode, Refused
from steps.reserve import reserve_seats
from steps.transact import transact
from steps.update_event import update_event
from tests.world import (
    CURRENCY,
    LIMITS,
    everything,
    hold,
    let_lapse,
    letters,
    new_draft,
    new_event,
    new_user,
    pay,
    plan_text,
    priced,
    refusal_of,
    until_somebody_waits,
)


async def hold_in(
    tx: Transaction, buyer: User, event: Event, wish: GeneralAdmission | BestAvailable
) -> Order:
    return await reserve_seats(tx, buyer_id=buyer.id, event_id=event.id, selection=wish, limits=LIMITS)


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
            await hold_in(first, alice, event, GeneralAdmission(((0, 2),)))
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


async def test_general_admission_passes_over_places_that_somebody_has_in_hand(database: Database) -> None:
    event, bob = await new_event(database, await priced(rows=0, standing=4)), await new_user(database)
    async with database.transaction() as first:
        await first.rows("SELECT 1 FROM seats WHERE index < 2 FOR NO KEY UPDATE")
        await hold(database, bob, event, GeneralAdmission(((0, 2),)))
    assert await letters(database, event) == "AAHH"


async def test_places_that_were_given_back_behind_the_last_one_are_sold_too(database: Database) -> None:
    event = await new_event(database, await priced(rows=0, standing=6))
    alice, bob = await new_user(database), await new_user(database)
    first = await hold(database, alice, event, GeneralAdmission(((0, 2),)))
    await hold(database, bob, event, GeneralAdmission(((0, 3),)))
    await let_lapse(database, first)
    async with database.transaction() as tx:  # the first try, which does not wait, finds them already
        order = await hold_in(tx, bob, event, GeneralAdmission(((0, 3),)))
    assert order.total_minor == 1_500
    assert await letters(database, event) == "HHHHHH"


async def test_places_of_several_tiers_are_had_together_or_not_at_all(database: Database) -> None:
    tiers = [TierDraft("Floor", Decimal(10), 3), TierDraft("Balcony", Decimal(20), 2)]
    event = await new_event(database, await price_plan(None, tiers, CURRENCY))
    alice, bob = await new_user(database), await new_user(database)
    four_of_three = await refusal_of(hold(database, bob, event, GeneralAdmission(((0, 4),))))
    assert four_of_three.code is RefusalCode.NOT_ENOUGH_SEATS
    order = await hold(database, alice, event, GeneralAdmission(((1, 1), (0, 2))))
    assert (order.total_minor, await letters(database, event)) == (4_000, "HHAHA")
    before = await everything(database)
    refused = await refusal_of(hold(database, bob, event, GeneralAdmission(((0, 1), (1, 2)))))
    assert refused.code is RefusalCode.NOT_ENOUGH_SEATS
    assert await everything(database) == before


async def test_tiers_in_any_order_at_once_are_all_sold_and_nobody_waits_in_a_circle(
    database: Database,
) -> None:
    tiers = [TierDraft("Floor", Decimal(10), 8), TierDraft("Balcony", Decimal(20), 8)]
    event = await new_event(database, await price_plan(None, tiers, CURRENCY))
    buyers = [await new_user(database) for _ in range(12)]
    wishes = [GeneralAdmission(((0, 1), (1, 1))), GeneralAdmission(((1, 1), (0, 1)))] * 6
    attempts = [hold(database, buyer, event, wish) for buyer, wish in zip(buyers, wishes, strict=True)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [isinstance(one, Refused) and one.code for one in refused] == [RefusalCode.NOT_ENOUGH_SEATS] * 4
    assert await letters(database, event) == "H" * 16


async def test_the_best_seats_in_somebodys_hands_are_left_for_the_next_best(database: Database) -> None:
    event = await new_event(database, await priced(rows=4, seats_a_row=4))
    alice, bob = await new_user(database), await new_user(database)
    async with database.transaction() as first:
        theirs = await hold_in(first, alice, event, BestAvailable(4))
        await hold(database, bob, event, BestAvailable(4))
    assert (await letters(database, event)).count("H") == 8
    assert await letters(database, event) in {"HHHHHHHHAAAAAAAA", "HHHHAAAAHHHHAAAA"}
    assert theirs.total_minor == 4_000


async def test_where_every_choice_is_in_somebodys_hands_the_answer_is_busy(database: Database) -> None:
    event = await new_event(database, await priced(rows=4, seats_a_row=5))
    alice, bob = await new_user(database), await new_user(database)
    before = await everything(database)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as first:
            for _ in range(2):
                await hold_in(first, alice, event, BestAvailable(10))
            refused = await refusal_of(hold(database, bob, event, BestAvailable(1)))
            assert (refused.code, refused.retry_after_seconds) == (RefusalCode.BUSY, 1)
            raise ZeroDivisionError
    assert await everything(database) == before


async def test_the_best_seats_that_are_given_up_are_had_at_the_second_try(database: Database) -> None:
    event = await new_event(database, await priced(rows=1, seats_a_row=2))
    alice, bob = await new_user(database), await new_user(database)
    tries = []

    async def step(tx: Transaction, **arguments: Any) -> Order:
        tries.append(1)
        if len(tries) == 2:
            with suppress(ZeroDivisionError):
                await rival.__aexit__(ZeroDivisionError, ZeroDivisionError(), None)
        return await hold_in(tx, **arguments)

    rival = database.transaction()
    await hold_in(await rival.__aenter__(), alice, event, BestAvailable(2))
    order = await transact(database, step, buyer=bob, event=event, wish=BestAvailable(2))
    assert (order.buyer_id, len(tries)) == (bob.id, 2)


async def test_the_best_seats_are_of_the_tier_asked_for_and_side_by_side(database: Database) -> None:
    source = orjson.loads(plan_text(3, 6))
    source["categories"].append({"name": "Back", "color": "#993366"})
    for seat in source["zones"][0]["rows"][2]["seats"]:
        seat["category"] = "Back"
    tiers = [TierDraft("Stalls", Decimal(10)), TierDraft("Back", Decimal(5))]
    plan = await price_plan(orjson.dumps(source).decode(), tiers, CURRENCY)
    event, alice = await new_event(database, plan), await new_user(database)
    await hold(database, alice, event, [14])
    await hold(database, alice, event, BestAvailable(3, 1))
    assert await letters(database, event) == "A" * 14 + "HHHH"


async def test_the_best_seats_may_be_lapsed_ones(database: Database) -> None:
    event = await new_event(database, await priced(rows=1, seats_a_row=4))
    alice, bob = await new_user(database), await new_user(database)
    await let_lapse(database, await hold(database, alice, event, [0, 1, 2, 3]))
    order = await hold(database, bob, event, BestAvailable(4))
    assert order.buyer_id == bob.id


async def test_what_is_not_on_sale_is_neither_told_of_nor_remembered(database: Database) -> None:
    draft, alice = await new_draft(database, await priced(rows=1, seats_a_row=2)), await new_user(database)
    before = await everything(database)
    for wish in (BestAvailable(1), BestAvailable(1, 7), GeneralAdmission(((7, 1),))):
        assert (await refusal_of(hold(database, alice, draft, wish))).code is RefusalCode.EVENT_NOT_FOUND
    assert await everything(database) == before
    await transact(database, update_event, event_id=draft.id, changes={}, seat_plan=plan_text(1, 5))
    await transact(database, publish_event, event_id=draft.id)
    await hold(database, alice, draft, BestAvailable(5))
    assert await letters(database, draft) == "HHHHH"
