"""Holding seats: all of them or none, and nobody waits for somebody else's."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from database import Database
from models.columns import new_id
from steps.choose import BestAvailable, GeneralAdmission
from steps.hold import Limits
from steps.refusals import RefusalCode, Refused
from steps.reserve import ChosenSeats, reserve_seats
from steps.transact import transact
from tests.world import (
    LIMITS,
    everything,
    hold,
    let_lapse,
    letters,
    new_draft,
    new_event,
    new_user,
    pay,
    priced,
    refusal_of,
    until_somebody_waits,
)


def indexes(refused: Refused) -> list[int]:
    return [index for _, index in refused.seats]


async def test_all_seats_are_held_and_logged_once_each(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [2, 0, 2])
    assert await letters(database, event) == "HAHAAAAAAA"
    assert (order.status, order.total_minor, order.currency) == ("PENDING", 2_000, "EUR")
    assert (order.held_until or order.created_at) - order.created_at == timedelta(seconds=300)
    log = await database.rows("SELECT index, version, status FROM seat_changes ORDER BY index")
    assert [tuple(row) for row in log] == [(0, 1, "H"), (2, 1, "H")]
    seats = await database.rows("SELECT order_id, held_until FROM seats WHERE status = 'H'")
    assert {tuple(row) for row in seats} == {(order.id, order.held_until)}


async def test_a_refusal_names_exactly_the_seats_in_the_way_and_changes_nothing(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await hold(database, alice, event, [1, 2])
    before = await everything(database)
    refused = await refusal_of(hold(database, bob, event, [0, 1, 2, 3]))
    assert (refused.code, indexes(refused)) == (RefusalCode.SEAT_UNAVAILABLE, [1, 2])
    assert await everything(database) == before


async def test_only_sold_seats_in_the_way_are_said_to_be_sold(database: Database) -> None:
    event = await new_event(database)
    alice, bob = await new_user(database, credits_minor=9_000), await new_user(database)
    await pay(database, alice, await hold(database, alice, event, [1, 2]))
    await hold(database, alice, event, [3])
    before = await everything(database)
    sold = await refusal_of(hold(database, bob, event, [0, 1, 2]))
    assert (sold.code, indexes(sold)) == (RefusalCode.SEAT_ALREADY_SOLD, [1, 2])
    mixed = await refusal_of(hold(database, bob, event, [1, 3]))
    assert (mixed.code, indexes(mixed)) == (RefusalCode.SEAT_UNAVAILABLE, [1, 3])
    assert await everything(database) == before


async def test_the_second_buyer_of_a_seat_does_not_wait_and_leaves_nothing(
    database: Database,
) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    async with database.transaction() as first:
        await reserve_seats(
            first,
            buyer_id=alice.id,
            event_id=event.id,
            selection=ChosenSeats((4, 5)),
            limits=LIMITS,
        )
        refused = await refusal_of(hold(database, bob, event, [5, 6]))
        assert (refused.code, indexes(refused)) == (RefusalCode.SEAT_UNAVAILABLE, [5])
    assert await letters(database, event) == "AAAAHHAAAA"
    owners = await database.rows("SELECT buyer_id FROM orders")
    assert [row["buyer_id"] for row in owners] == [alice.id]
    assert not await database.rows("SELECT 1 FROM buyers WHERE user_id = $1", bob.id)


async def test_a_seat_that_its_holder_gives_up_is_had_at_the_second_try(
    database: Database,
) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    tries = []

    async def step(tx: object, **arguments: object) -> object:
        tries.append(1)
        if len(tries) == 2:
            with suppress(ZeroDivisionError):
                await rival.__aexit__(ZeroDivisionError, ZeroDivisionError(), None)
        return await reserve_seats(tx, **arguments)  # type: ignore[arg-type]

    rival = database.transaction()
    first = await rival.__aenter__()
    wish = {"event_id": event.id, "selection": ChosenSeats((5,)), "limits": LIMITS}
    await reserve_seats(first, buyer_id=alice.id, **wish)  # type: ignore[arg-type]
    order: Any = await transact(database, step, buyer_id=bob.id, **wish)
    assert (order.buyer_id, len(tries)) == (bob.id, 2)


async def test_a_lapsed_hold_counts_as_free_and_the_seat_changes_its_order(
    database: Database,
) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    old = await hold(database, alice, event, [0, 1])
    await let_lapse(database, old)
    new = await hold(database, bob, event, [1])
    rows = await database.rows("SELECT order_id, version FROM seats WHERE index < 2 ORDER BY index")
    assert [tuple(row) for row in rows] == [(old.id, 1), (new.id, 2)]


async def test_a_hold_counts_as_free_from_its_last_moment_also_in_an_older_transaction(
    database: Database,
) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    old = await hold(database, alice, event, [0])
    async with database.transaction() as begun_before:
        await let_lapse(database, old)
        new = await reserve_seats(
            begun_before,
            buyer_id=bob.id,
            event_id=event.id,
            selection=ChosenSeats((0,)),
            limits=LIMITS,
        )
    assert (new.held_until or new.created_at) - new.created_at == timedelta(seconds=300)


async def test_a_buyer_holds_at_most_the_allowed_number_of_seats(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    limits = Limits(hold_seconds=300, seats_per_order_max=3, seats_per_buyer_max=4)
    await hold(database, alice, event, [0, 1, 2], limits=limits)
    before = await everything(database)
    refused = await refusal_of(hold(database, alice, event, [3, 4], limits=limits))
    assert refused.code is RefusalCode.TOO_MANY_SEATS
    too_large = await refusal_of(hold(database, alice, event, [3, 4, 5, 6], limits=limits))
    assert too_large.code is RefusalCode.TOO_MANY_SEATS
    assert await everything(database) == before


async def test_a_buyer_in_two_places_at_once_stays_within_the_limit(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    limits = Limits(hold_seconds=300, seats_per_order_max=3, seats_per_buyer_max=4)
    for known_before in (False, True):
        async with database.transaction() as first:
            await reserve_seats(
                first,
                buyer_id=alice.id,
                event_id=event.id,
                selection=ChosenSeats((4,) if known_before else (0, 1)),
                limits=limits,
            )
            second = asyncio.create_task(hold(database, alice, event, [5, 6, 7], limits=limits))
            await until_somebody_waits(database)
        assert (await refusal_of(second)).code is RefusalCode.TOO_MANY_SEATS
    assert await letters(database, event) == "HHAAHAAAAA"


async def test_a_buyer_everywhere_at_once_gets_the_limit_and_no_more(database: Database) -> None:
    event, alice = await new_event(database, await priced(rows=5, seats_a_row=8)), await new_user(database)
    attempts = [hold(database, alice, event, list(range(four, four + 4))) for four in range(0, 40, 4)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [isinstance(one, Refused) and one.code for one in refused] == [RefusalCode.TOO_MANY_SEATS] * 5
    assert (await letters(database, event)).count("H") == LIMITS.seats_per_buyer_max


async def test_paid_seats_count_against_the_limit_and_other_peoples_do_not(database: Database) -> None:
    event, bob = await new_event(database), await new_user(database)
    alice = await new_user(database, credits_minor=9_000)
    limits = Limits(hold_seconds=300, seats_per_order_max=4, seats_per_buyer_max=4)
    await hold(database, bob, event, [9])
    await pay(database, alice, await hold(database, alice, event, [0, 1, 2]))
    refused = await refusal_of(hold(database, alice, event, [3, 4], limits=limits))
    assert (refused.code, str(refused)[-11:]) == (RefusalCode.TOO_MANY_SEATS, "you have 3.")
    assert (await hold(database, alice, event, [3], limits=limits)).status == "PENDING"


async def test_every_kind_of_wish_is_within_the_limit(database: Database) -> None:
    event, alice = await new_event(database, await priced(standing=5)), await new_user(database)
    limits = Limits(hold_seconds=300, seats_per_order_max=4, seats_per_buyer_max=4)
    await hold(database, alice, event, [0, 1], limits=limits)
    before = await everything(database)
    for wish in ([2, 3, 4], GeneralAdmission(((1, 3),)), BestAvailable(3)):
        assert (await refusal_of(hold(database, alice, event, wish, limits=limits))).code is (
            RefusalCode.TOO_MANY_SEATS
        )
    assert await everything(database) == before


async def test_seats_of_lapsed_and_cancelled_orders_do_not_count(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    limits = Limits(hold_seconds=300, seats_per_order_max=4, seats_per_buyer_max=4)
    await let_lapse(database, await hold(database, alice, event, [0, 1, 2, 3], limits=limits))
    await hold(database, await new_user(database), event, [2, 3], limits=limits)
    await hold(database, alice, event, [0, 1, 4, 5], limits=limits)
    assert await letters(database, event) == "HHHHHHAAAA"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sales_start_at": timedelta(hours=1)}, RefusalCode.EVENT_NOT_ON_SALE),
        ({"sales_end_at": timedelta(hours=-1)}, RefusalCode.EVENT_NOT_ON_SALE),
    ],
)
async def test_an_event_is_sold_in_its_time_of_sale_only(
    database: Database, changes: dict[str, timedelta], code: RefusalCode
) -> None:
    moments = {name: datetime.now(UTC) + delta for name, delta in changes.items()}
    event, alice = await new_event(database, await priced(standing=5), **moments), await new_user(database)
    before = await everything(database)
    for wish in ([0], GeneralAdmission(((1, 1),))):
        assert (await refusal_of(hold(database, alice, event, wish))).code is code
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("status = 'CANCELLED'", RefusalCode.EVENT_NOT_ON_SALE),
        ("starts_at = now() - interval '2 h', ends_at = now() - interval '1 h'", RefusalCode.EVENT_ENDED),
        ("status = 'DRAFT'", RefusalCode.EVENT_NOT_FOUND),
    ],
)
async def test_an_event_that_is_not_open_is_refused(
    database: Database, change: str, code: RefusalCode
) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with database.transaction() as tx:
        await tx.rows(f"UPDATE events SET {change}")
    before = await everything(database)
    assert (await refusal_of(hold(database, alice, event, [0]))).code is code
    assert await everything(database) == before


async def test_an_unknown_event_or_seat_is_refused(database: Database) -> None:
    event, alice = await new_draft(database), await new_user(database)
    published = await new_event(database)
    event.id = new_id()
    before = await everything(database)
    assert (await refusal_of(hold(database, alice, event, [0]))).code is RefusalCode.EVENT_NOT_FOUND
    refused = await refusal_of(hold(database, alice, published, [0, 10, -1]))
    assert (refused.code, indexes(refused)) == (RefusalCode.SEAT_NOT_FOUND, [-1, 10])
    nothing = await refusal_of(hold(database, alice, published, []))
    assert nothing.code is RefusalCode.VALIDATION_ERROR
    assert await everything(database) == before
