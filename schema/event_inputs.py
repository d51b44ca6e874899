"""What an operator says to make, change and publish an event."""

from datetime import datetime
from typing import Any

import strawberry

from schema import ids
from schema.errors import wrong_argument
from schema.tiers import TierInput
from steps.details import EventDetails

_PLAN = (
    "A seating plan as JSON in the open format of zones, rows and seats; a seat's category names its tier."
)


@strawberry.input(description="An event to draft.")
class CreateEventInput:
    name: str = strawberry.field(description="What it is called.")
    description: str = strawberry.field(default="", description="What it is about.")
    category: str = strawberry.field(default="", description="What kind of event it is.")
    hall_id: strawberry.ID = strawberry.field(description="The hall that it takes place in.")
    starts_at: datetime = strawberry.field(description="When it starts.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    timezone: str = strawberry.field(default="UTC", description="The time zone of its place, by IANA's name.")
    sales_start_at: datetime | None = strawberry.field(default=None, description="When the sale starts.")
    sales_end_at: datetime | None = strawberry.field(default=None, description="When the sale ends.")
    currency: str = strawberry.field(description="ISO 4217 code of the currency of its prices.")
    tiers: list[TierInput] = strawberry.field(description="What seats cost.")
    seat_plan: str | None = strawberry.field(default=None, description=_PLAN)

    def details(self) -> EventDetails:
        return EventDetails(
            name=self.name,
            description=self.description,
            category=self.category,
            hall_id=ids.read_hall(self.hall_id),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            timezone=self.timezone,
            sales_start_at=self.sales_start_at,
            sales_end_at=self.sales_end_at,
        )


_PLAIN = ("name", "description", "category", "starts_at", "ends_at", "timezone")
_NULLABLE = ("sales_start_at", "sales_end_at")


@strawberry.input(description="What to change of an event; what is not named stays as it is.")
class UpdateEventInput:
    event_id: strawberry.ID = strawberry.field(description="The event.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What it is called.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What it is about.")
    category: str | None = strawberry.field(default=strawberry.UNSET, description="What kind it is.")
    starts_at: datetime | None = strawberry.field(default=strawberry.UNSET, description="When it starts.")
    ends_at: datetime | None = strawberry.field(default=strawberry.UNSET, description="When it ends.")
    sales_start_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When the sale starts; null: with the publication."
    )
    sales_end_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When the sale ends; null: with the event."
    )
    hall_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The hall; before the first sale only."
    )
    timezone: str | None = strawberry.field(
        default=strawberry.UNSET, description="The time zone, by IANA's name; before the first sale only."
    )
    tiers: list[TierInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="What seats cost; before the first sale only, and of a published event only the prices.",
    )
    seat_plan: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"{_PLAN} Of a draft only."
    )

    def changes(self) -> dict[str, Any]:
        """The details that are named, with their new values."""
        changes = {name: getattr(self, name) for name in (*_PLAIN, *_NULLABLE)}
        changes = {name: value for name, value in changes.items() if value is not strawberry.UNSET}
        for name in _PLAIN:
            if name in changes and changes[name] is None:
                raise wrong_argument(f"`{name}` cannot be null; leave it out to keep it as it is.")
        if self.hall_id is not strawberry.UNSET and self.hall_id is not None:
            changes["hall_id"] = ids.read_hall(self.hall_id)
        return changes


@strawberry.input(description="An event, by its id.")
class EventInput:
    event_id: strawberry.ID = strawberry.field(description="The event.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes a repeat of this very request have no second effect, for 24 hours."
    )
