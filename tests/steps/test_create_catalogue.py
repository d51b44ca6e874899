"""Putting venues, halls and drafts of events on record."""

from decimal import Decimal
from typing import Any

import pytest

from database import Database
from models.columns import new_id
from steps.create_catalogue import create_event, create_hall, create_venue
from steps.details import TierDraft, price_plan
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.world import (
    details,
    everything,
    new_draft,
    new_hall,
    plan_text,
    priced,
    refusal_of,
)


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


async def test_every_tier_has_its_price_and_its_places(database: Database) -> None:
    await new_draft(database, await priced(rows=2, seats_a_row=3, standing=4, price="12.50"))
    tiers = await database.rows(
        "SELECT name, price_minor, currency, general_admission, capacity, first_index FROM tiers"
    )
    assert sorted(tuple(tier) for tier in tiers) == [
        ("Stalls", 1_250, "EUR", False, 6, 0),
        ("Standing", 625, "EUR", True, 4, 6),
    ]


async def test_everything_that_is_wrong_with_an_event_is_named_at_once(database: Database) -> None:
    wrong = details(await new_hall(database), name="", timezone="Mars/Olympus")
    attempt = transact(database, create_event, details=wrong, plan=await priced())
    fields = [problem.field for problem in (await refusal_of(attempt)).problems]
    assert fields == ["input.name", "input.timezone"]


async def test_an_unknown_hall_or_venue_is_refused(database: Database) -> None:
    before = await everything(database)
    attempt = transact(database, create_event, details=details(new_id()), plan=await priced())
    assert (await refusal_of(attempt)).code is RefusalCode.HALL_NOT_FOUND
    hall = transact(database, create_hall, venue_id=new_id(), code="A", name="A")
    assert (await refusal_of(hall)).code is RefusalCode.VENUE_NOT_FOUND
    assert await everything(database) == before


async def test_a_venue_and_a_hall_must_say_what_they_are(database: Database) -> None:
    venue = await transact(database, create_venue, name="House", address="Street 1")
    before = await everything(database)
    bare = transact(database, create_venue, name=" ", address="x" * 501)
    assert [problem.field for problem in (await refusal_of(bare)).problems] == ["input.name", "input.address"]
    hall = transact(database, create_hall, venue_id=venue.id, code="x" * 41, name="")
    assert [problem.field for problem in (await refusal_of(hall)).problems] == ["input.code", "input.name"]
    assert await everything(database) == before


async def test_a_halls_code_is_its_own_in_its_venue_only(database: Database) -> None:
    houses = [await transact(database, create_venue, name=name, address="Street 1") for name in "AB"]
    for house in houses:
        await transact(database, create_hall, venue_id=house.id, code="H", name="Hall")
    before = await everything(database)
    again = transact(database, create_hall, venue_id=houses[0].id, code="H", name="Other")
    assert [problem.field for problem in (await refusal_of(again)).problems] == ["input.code"]
    assert await everything(database) == before


@pytest.mark.parametrize("word", ["show", "theatre", "house", "wonderful"])
async def test_an_event_is_found_by_its_words_and_its_venue(database: Database, word: str) -> None:
    await new_draft(database, description="A wonderful evening")
    (row,) = await database.rows("SELECT search @@ to_tsquery('simple', $1) AS found FROM events", word)
    assert row["found"]
