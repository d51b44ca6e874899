"""Making, changing and publishing events."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from database import Database
from models.catalogue import Event
from models.columns import new_id
from steps.create_catalogue import create_event, create_hall
from steps.details import TierDraft, price_plan
from steps.publish import publish_event
from steps.refusals import RefusalCode
from steps.reserve import ChosenSeats, reserve_seats
from steps.transact import transact
from steps.update_event import update_event
from tests.world import (
    LIMITS,
    details,
    everything,
    hold,
    new_draft,
    new_event,
    new_hall,
    new_user,
    plan_text,
    priced,
    refusal_of,
    until_somebody_waits,
)


async def update(database: Database, event: Event, **given: Any) -> Event:
    known = {name: given.pop(name) for name in ("tiers", "seat_plan") if name in given}
    return await transact(database, update_event, event_id=event.id, changes=given, **known)


async def publish(database: Database, event: Event) -> Event:
    return await transact(database, publish_event, event_id=event.id)


async def test_a_draft_has_every_seat_of_its_plan(database: Database) -> None:
    event = await new_draft(database, await priced(rows=2, seats_a_row=3, standing=4))
    seats = await database.rows('SELECT index, tier, section, "row", number FROM seats ORDER BY index')
    assert [tuple(seat) for seat in seats][:4] == [
        (0, 0, "Parkett", "1", "1"),
        (1, 0, "Parkett", "1", "2"),
        (2, 0, "Parkett", "1", "3"),
        (3, 0, "Parkett", "2", "1"),
    ]
    assert [tuple(seat) for seat in seats][6:] == [(n, 1, "Standing", "", "") for n in range(6, 10)]
    assert (event.status, event.total_seats) == ("DRAFT", 10)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "input.name"),
        ({"name": "x" * 201}, "input.name"),
        ({"timezone": "Mars/Olympus"}, "input.timezone"),
        ({"category": "x" * 201}, "input.category"),
        ({"description": "x" * 10_001}, "input.description"),
    ],
)
async def test_wrong_details_are_refused_and_change_nothing(
    database: Database, changes: dict[str, Any], field: str
) -> None:
    hall = await new_hall(database)
    before = await everything(database)
    attempt = transact(database, create_event, details=details(hall, **changes), plan=await priced())
    assert [problem.field for problem in (await refusal_of(attempt)).problems] == [field]
    assert await everything(database) == before


async def test_times_must_be_in_order(database: Database) -> None:
    event = await new_draft(database)
    before = await everything(database)
    early = event.starts_at - timedelta(hours=1)
    refused = await refusal_of(update(database, event, ends_at=early))
    assert refused.problems[0].field == "input.endsAt"
    sales = {"sales_start_at": event.starts_at, "sales_end_at": early}
    assert (await refusal_of(update(database, event, **sales))).problems[0].field == "input.salesEndAt"
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("tiers", "currency", "field"),
    [
        ([TierDraft("Stalls", Decimal("1.005"))], "EUR", "input.tiers.0.price"),
        ([TierDraft("Stalls", Decimal("-1"))], "EUR", "input.tiers.0.price"),
        ([TierDraft("Stalls", Decimal("1e15"))], "EUR", "input.tiers.0.price"),
        ([TierDraft("Stalls", Decimal(1))], "eur", "input.currency"),
        ([TierDraft("Other", Decimal(1))], "EUR", "input.seatPlan"),
        ([], "EUR", "input.seatPlan"),
    ],
)
async def test_wrong_prices_are_refused(tiers: list[TierDraft], currency: str, field: str) -> None:
    refused = await refusal_of(price_plan(plan_text(1, 2), tiers, currency))
    assert (refused.code, refused.problems[0].field) == (RefusalCode.VALIDATION_ERROR, field)


async def test_an_unknown_hall_venue_or_event_is_refused(database: Database) -> None:
    before = await everything(database)
    attempt = transact(database, create_event, details=details(new_id()), plan=await priced())
    assert (await refusal_of(attempt)).code is RefusalCode.HALL_NOT_FOUND
    hall = transact(database, create_hall, venue_id=new_id(), code="A", name="A")
    assert (await refusal_of(hall)).code is RefusalCode.VENUE_NOT_FOUND
    ghost = Event(id=new_id())
    assert (await refusal_of(update(database, ghost, name="x"))).code is RefusalCode.EVENT_NOT_FOUND
    assert (await refusal_of(publish(database, ghost))).code is RefusalCode.EVENT_NOT_FOUND
    assert await everything(database) == before


async def test_a_draft_can_be_laid_out_anew(database: Database) -> None:
    event = await new_draft(database)
    await update(database, event, name="New", seat_plan=plan_text(3, 4))
    changed = await update(database, event, tiers=[TierDraft("Stalls", Decimal(12))])
    assert (changed.name, changed.total_seats) == ("New", 12)
    assert (await database.rows("SELECT price_minor FROM tiers"))[0]["price_minor"] == 1_200
    before = await everything(database)
    assert (await refusal_of(update(database, event, seat_plan="{"))).problems[0].field == "input.seatPlan"
    assert await everything(database) == before


async def test_a_published_events_plan_never_changes_and_its_prices_until_the_first_sale(
    database: Database,
) -> None:
    event, alice = await new_event(database), await new_user(database)
    refused = await refusal_of(update(database, event, seat_plan=plan_text(1, 1)))
    assert refused.code is RefusalCode.EVENT_INVALID_STATE
    other = [TierDraft("Stalls", Decimal(9)), TierDraft("More", Decimal(1), 5)]
    assert (await refusal_of(update(database, event, tiers=other))).problems[0].field == "input.tiers"
    await update(database, event, tiers=[TierDraft("Stalls", Decimal(9))])
    assert (await hold(database, alice, event, [0])).total_minor == 900
    before = await everything(database)
    for change in ({"tiers": [TierDraft("Stalls", Decimal(8))]}, {"hall_id": new_id()}, {"timezone": "UTC"}):
        assert (await refusal_of(update(database, event, **change))).code is RefusalCode.EVENT_INVALID_STATE
    assert await everything(database) == before
    assert (await update(database, event, name="Still")).name == "Still"


async def test_a_sale_that_is_under_way_counts_as_the_first(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with database.transaction() as sale:
        await reserve_seats(
            sale,
            buyer_id=alice.id,
            event_id=event.id,
            selection=ChosenSeats((0,)),
            limits=LIMITS,
        )
        change = asyncio.create_task(update(database, event, tiers=[TierDraft("Stalls", Decimal(1))]))
        await until_somebody_waits(database)
    assert (await refusal_of(change)).code is RefusalCode.EVENT_INVALID_STATE


async def test_a_draft_is_published_once_and_only_before_it_is_over(database: Database) -> None:
    event = await new_event(database)
    past = await new_draft(database)
    async with database.transaction() as tx:
        await tx.rows(
            """UPDATE events SET starts_at = now() - interval '2 h', ends_at = now() - interval '1 h'
               WHERE id = $1""",
            past.id,
        )
    before = await everything(database)
    for one in (event, past):
        assert (await refusal_of(publish(database, one))).code is RefusalCode.EVENT_INVALID_STATE
    assert await everything(database) == before


async def test_two_published_events_never_share_a_hall_at_the_same_time(database: Database) -> None:
    first = await new_event(database)
    late = first.ends_at + timedelta(hours=1)
    same = details(first.hall_id, starts_at=first.ends_at - timedelta(minutes=1), ends_at=late)
    after = details(first.hall_id, starts_at=first.ends_at, ends_at=late)
    clash = await transact(database, create_event, details=same, plan=await priced())
    before = await everything(database)
    assert (await refusal_of(publish(database, clash))).code is RefusalCode.HALL_OCCUPIED
    assert await everything(database) == before
    next_one = await transact(database, create_event, details=after, plan=await priced())
    assert (await publish(database, next_one)).status == "PUBLISHED"
