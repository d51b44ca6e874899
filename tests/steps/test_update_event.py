"""Changing what an event is, as far as its state and its sales allow."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

from database import Database
from models.catalogue import Event
from models.columns import new_id
from steps.create_catalogue import create_event
from steps.details import TierDraft
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


async def test_times_must_be_in_order(database: Database) -> None:
    event = await new_draft(database)
    before = await everything(database)
    early = event.starts_at - timedelta(hours=1)
    refused = await refusal_of(update(database, event, ends_at=early))
    assert refused.problems[0].field == "input.endsAt"
    sales = {"sales_start_at": event.starts_at, "sales_end_at": early}
    assert (await refusal_of(update(database, event, **sales))).problems[0].field == "input.salesEndAt"
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


async def test_an_unknown_event_or_hall_is_refused(database: Database) -> None:
    event = await new_draft(database)
    before = await everything(database)
    ghost = Event(id=new_id())
    assert (await refusal_of(update(database, ghost, name="x"))).code is RefusalCode.EVENT_NOT_FOUND
    assert (await refusal_of(update(database, event, hall_id=new_id()))).code is RefusalCode.HALL_NOT_FOUND
    assert await everything(database) == before


async def test_an_event_that_was_cancelled_never_changes(database: Database) -> None:
    event = await new_event(database)
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET status = 'CANCELLED'")
    before = await everything(database)
    assert (await refusal_of(update(database, event, name="x"))).code is RefusalCode.EVENT_INVALID_STATE
    assert await everything(database) == before


async def test_an_event_cannot_move_into_the_time_of_another_in_its_hall(database: Database) -> None:
    first = await new_event(database)
    late = {"starts_at": first.ends_at, "ends_at": first.ends_at + timedelta(hours=1)}
    second = await transact(
        database, create_event, details=details(first.hall_id, **late), plan=await priced()
    )
    await transact(database, publish_event, event_id=second.id)
    before = await everything(database)
    earlier = update(database, second, starts_at=first.ends_at - timedelta(minutes=1))
    assert (await refusal_of(earlier)).code is RefusalCode.HALL_OCCUPIED
    assert await everything(database) == before


async def test_two_changes_at_once_both_stay(database: Database) -> None:
    event = await new_draft(database)
    async with database.transaction() as first:
        await update_event(first, event_id=event.id, changes={"name": "New"})
        second = asyncio.create_task(update(database, event, description="More of it"))
        await until_somebody_waits(database)
    assert ((await second).name, (await second).description) == ("New", "More of it")


async def test_a_changed_name_is_found(database: Database) -> None:
    event = await new_draft(database)
    await update(database, event, name="Zauberfloete")
    (row,) = await database.rows("SELECT search @@ to_tsquery('simple', 'zauberfloete') AS found FROM events")
    assert row["found"]
