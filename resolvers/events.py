"""Events: finding them, making them, putting them on sale."""

from typing import Annotated

import strawberry

from dataloaders.pages import PageArguments
from models import catalogue as rows
from schema import ids
from schema.context import Info
from schema.event_inputs import CreateEventInput, EventInput, UpdateEventInput
from schema.events import Event, EventPayload, EventResult
from schema.filters import EventFilter, events_listing
from schema.pages import After, Before, Connection, First, Last, connect
from schema.tiers import TierInput
from steps.cancel_event import cancel_event
from steps.create_catalogue import create_event
from steps.details import TierDraft, price_plan
from steps.publish import publish_event
from steps.update_event import update_event

CATEGORIES_MAX = 1_000


@strawberry.type
class EventQueries:
    @strawberry.field(description="An event by its id; null when there is none that the caller may see.")
    async def event(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Event | None:
        return await Event.find(info, id)

    @strawberry.field(description="Events, by their start: what is to come, unless the filter says else.")
    async def events(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[EventFilter | None, strawberry.argument(description="Only these events.")] = None,
    ) -> Connection[Event]:
        listing = events_listing(info, filter or EventFilter())
        return await connect(info, listing, Event.of, PageArguments(first, after, last, before))

    @strawberry.field(description="The categories that events have, in alphabetical order.")
    async def event_categories(self, info: Info) -> list[str]:
        found = await info.context.house.database.rows(
            """SELECT DISTINCT category FROM events WHERE category <> '' AND status <> 'DRAFT'
               ORDER BY category LIMIT $1""",
            CATEGORIES_MAX,
        )
        return [row["category"] for row in found]


@strawberry.type
class EventMutations:
    @strawberry.mutation(description="Draft an event with its prices and its plan. OPERATOR, ADMIN.")
    async def create_event(
        self, info: Info, input: Annotated[CreateEventInput, strawberry.argument(description="The event.")]
    ) -> EventResult:
        info.context.require_operator()
        details = input.details()
        plan = await price_plan(input.seat_plan, [tier.draft() for tier in input.tiers], input.currency)
        return _payload(await info.context.transact(create_event, details=details, plan=plan))

    @strawberry.mutation(
        description="Change an event, within what its state and its sales allow. OPERATOR, ADMIN."
    )
    async def update_event(
        self,
        info: Info,
        input: Annotated[
            UpdateEventInput, strawberry.argument(description="The event, and what is to change.")
        ],
    ) -> EventResult:
        info.context.require_operator()
        event = await info.context.transact(
            update_event,
            event_id=ids.read_event(input.event_id),
            changes=input.changes(),
            tiers=_drafts(input.tiers),
            seat_plan=input.seat_plan or None,
        )
        return _payload(event)

    @strawberry.mutation(description="Put a draft on sale; its plan never changes again. OPERATOR, ADMIN.")
    async def publish_event(
        self, info: Info, input: Annotated[EventInput, strawberry.argument(description="The event.")]
    ) -> EventResult:
        info.context.require_operator()
        event_id = ids.read_event(input.event_id)
        key = info.context.key("publishEvent", input.idempotency_key, event_id=input.event_id)
        return _payload(await info.context.transact(publish_event, event_id=event_id, key=key))

    @strawberry.mutation(
        description="Call a published event off: its sale ends at once, and everybody is paid back within "
        "minutes, whoever owns a ticket then. OPERATOR, ADMIN."
    )
    async def cancel_event(
        self, info: Info, input: Annotated[EventInput, strawberry.argument(description="The event.")]
    ) -> EventResult:
        operator, event_id = info.context.require_operator(), ids.read_event(input.event_id)
        key = info.context.key("cancelEvent", input.idempotency_key, event_id=input.event_id)
        return _payload(
            await info.context.transact(cancel_event, actor_id=operator.id, event_id=event_id, key=key)
        )


def _drafts(tiers: list[TierInput] | None) -> list[TierDraft] | None:
    return [tier.draft() for tier in tiers] if tiers else None


def _payload(event: rows.Event) -> EventPayload:
    return EventPayload(event=Event.of(event))
