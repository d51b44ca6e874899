"""Price tiers of an event."""

from decimal import Decimal
from uuid import UUID

import strawberry

from models import seats as rows
from schema import events, ids
from schema.context import Info
from schema.money import Money
from schema.nodes import Node
from steps.details import TierDraft


@strawberry.type(description="A price, and the seats of an event that it is asked for.")
class PricingTier(Node):
    name: str = strawberry.field(description='What it is called, as "CAT1".')
    price: Money = strawberry.field(description="What the buyer pays for one seat, all in.")
    color: str | None = strawberry.field(description="Its colour on the map, as #rrggbb.")
    general_admission: bool = strawberry.field(description="True: sold by number, not by seat.")
    total_seats: int = strawberry.field(description="How many seats it has.")
    row: strawberry.Private[rows.Tier]

    @classmethod
    def of(cls, row: rows.Tier) -> "PricingTier":
        return cls(
            id=ids.tier_id(row.event_id, row.number),
            name=row.name,
            price=Money.of(row.price_minor, row.currency),
            color=row.color,
            general_admission=row.general_admission,
            total_seats=row.capacity,
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "PricingTier | None":
        key = ids.read_tier(id)
        if await events.Event.visible(info, key[0]) is None:
            return None
        row = await info.context.loads.tier.load(key)
        return cls.of(row) if row else None

    @classmethod
    async def at(cls, info: Info, event_id: UUID, number: int) -> "PricingTier":
        row = await info.context.loads.tier.load((event_id, number))
        assert row is not None, "a seat's tier is there"
        return cls.of(row)

    @strawberry.field(description="How many of its seats can be had now.")
    async def available_seats(self, info: Info) -> int:
        counted = await info.context.loads.availability.load(self.row.event_id)
        return sum(record["available"] for record in counted if record["tier"] == self.row.number)


@strawberry.input(description="A price tier to ask for.")
class TierInput:
    name: str = strawberry.field(description="What it is called; the plan's categories name their tiers.")
    price: Decimal = strawberry.field(description="What one seat costs, all in, in major units.")
    general_admission_capacity: int | None = strawberry.field(
        default=None, description="How many places it has; null: its seats come from the plan."
    )

    def draft(self) -> TierDraft:
        return TierDraft(self.name, self.price, self.general_admission_capacity)
