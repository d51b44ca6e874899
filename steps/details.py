"""What an operator says of an event, checked: its names, its times, its prices and its plan."""

import asyncio
import zoneinfo
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

from models.layouts import Layout
from models.money import is_currency, to_minor
from models.plans import PlanError, TierOffer, lay_out
from steps.refusals import Inputs, invalid

NAME_CHARACTERS_MAX = 200
DESCRIPTION_CHARACTERS_MAX = 10_000
TIERS_MAX = 100

_TIMEZONES = zoneinfo.available_timezones()


@dataclass(frozen=True)
class EventDetails:
    """Everything about an event but its prices and its plan."""

    name: str
    description: str
    category: str
    hall_id: UUID
    starts_at: datetime
    ends_at: datetime
    timezone: str
    sales_start_at: datetime | None
    sales_end_at: datetime | None

    def check(self) -> None:
        """Refuse with every input that is wrong."""
        inputs = Inputs()
        inputs.check_text(self.name, "input.name", "name", NAME_CHARACTERS_MAX)
        inputs.check_text(self.category, "input.category", "category", NAME_CHARACTERS_MAX, least=0)
        inputs.check_text(
            self.description, "input.description", "description", DESCRIPTION_CHARACTERS_MAX, least=0
        )
        inputs.check(
            self.timezone in _TIMEZONES,
            "input.timezone",
            "The time zone is not one of IANA's, as Europe/Berlin.",
        )
        inputs.check(self.starts_at < self.ends_at, "input.endsAt", "The event must end after it starts.")
        sales_in_order = (
            not (self.sales_start_at and self.sales_end_at) or self.sales_start_at < self.sales_end_at
        )
        inputs.check(sales_in_order, "input.salesEndAt", "The sale must end after it starts.")
        inputs.refuse_if_wrong()


EVENT_DETAILS = tuple(field.name for field in fields(EventDetails))


@dataclass(frozen=True)
class TierDraft:
    """A price tier as it is asked for: a price in major units, and a capacity for general admission."""

    name: str
    price: Decimal
    general_admission_capacity: int | None = None


@dataclass(frozen=True)
class PricedTier:
    """A price tier that was checked: its price in minor units."""

    name: str
    price_minor: int
    general_admission_capacity: int | None


@dataclass(frozen=True)
class PricedPlan:
    """A plan that was laid out for its tiers, and their prices in one currency."""

    currency: str
    tiers: tuple[PricedTier, ...]
    layout: Layout
    source: str | None


async def price_plan(source: str | None, drafts: list[TierDraft], currency: str) -> PricedPlan:
    """Check prices and plan, and lay the plan out in a thread; refuses with the place that is wrong."""
    if not is_currency(currency):
        raise invalid("input.currency", "The currency is not an ISO 4217 code, as EUR.")
    inputs = Inputs()
    prices = [
        inputs.take(partial(_price, draft, currency), f"input.tiers.{number}.price", 0)
        for number, draft in enumerate(drafts)
    ]
    inputs.refuse_if_wrong()
    offers = [TierOffer(draft.name, draft.general_admission_capacity) for draft in drafts]
    try:
        layout = await asyncio.to_thread(lay_out, source, offers)
    except PlanError as error:
        raise invalid("input.tiers" if source is None else "input.seatPlan", str(error)) from None
    tiers = tuple(
        PricedTier(draft.name, price, draft.general_admission_capacity)
        for draft, price in zip(drafts, prices, strict=True)
    )
    return PricedPlan(currency, tiers, layout, source)


def _price(draft: TierDraft, currency: str) -> int:
    minor = to_minor(draft.price, currency)
    if minor < 0:
        raise ValueError("A price cannot be negative.")
    return minor
