"""Putting an event on sale: once, in time, and alone in its hall."""

import asyncio
from datetime import timedelta

from database import Database
from models.catalogue import Event
from models.columns import new_id
from steps.create_catalogue import create_event
from steps.idempotency import Key
from steps.publish import publish_event
from steps.refusals import RefusalCode, Refused
from steps.transact import transact
from tests.world import (
    details,
    everything,
    new_draft,
    new_event,
    new_hall,
    priced,
    refusal_of,
    until_somebody_waits,
)


async def publish(database: Database, event: Event, key: Key | None = None) -> Event:
    return await transact(database, publish_event, event_id=event.id, key=key)


async def new_rivals(database: Database, count: int) -> list[Event]:
    """Drafts of events in one hall at one time."""
    what, plan = details(await new_hall(database)), await priced()
    return [await transact(database, create_event, details=what, plan=plan) for _ in range(count)]


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


async def test_of_events_published_at_once_one_gets_the_hall(database: Database) -> None:
    rivals = await new_rivals(database, 3)
    outcomes = await asyncio.gather(*(publish(database, one) for one in rivals), return_exceptions=True)
    codes = {outcome.code for outcome in outcomes if isinstance(outcome, Refused)}
    assert codes <= {RefusalCode.HALL_OCCUPIED, RefusalCode.BUSY}  # busy when they stood in a circle for long
    published = [outcome for outcome in outcomes if isinstance(outcome, Event)]
    assert len(published) <= 1
    assert len(published) + sum(isinstance(outcome, Refused) for outcome in outcomes) == len(rivals)
    on_sale = await database.rows("SELECT id FROM events WHERE status = 'PUBLISHED'")
    assert [row["id"] for row in on_sale] == [event.id for event in published]


async def test_a_rival_that_is_not_published_after_all_leaves_the_hall(database: Database) -> None:
    first, second = await new_rivals(database, 2)
    try:
        async with database.transaction() as tx:
            await publish_event(tx, event_id=first.id)
            waiting = asyncio.create_task(publish(database, second))
            await until_somebody_waits(database)
            raise ZeroDivisionError
    except ZeroDivisionError:
        assert (await waiting).status == "PUBLISHED"


async def test_under_one_key_an_event_is_published_once(database: Database) -> None:
    event = await new_draft(database)
    key = Key.of(new_id(), "publishEvent", "k", {"event": event.id})
    published = await asyncio.gather(*(publish(database, event, key) for _ in range(5)))
    assert {one.status for one in published} == {"PUBLISHED"}


async def test_an_unknown_event_is_not_published(database: Database) -> None:
    before = await everything(database)
    assert (await refusal_of(publish(database, Event(id=new_id())))).code is RefusalCode.EVENT_NOT_FOUND
    assert await everything(database) == before
