"""Give an event its tiers, its seats and its plan, in place of any that it had."""

from uuid import UUID

import orjson

from database import Transaction
from steps.details import PricedPlan

_SEAT_COLUMNS = ("event_id", "index", "tier", "section", "row", "number")
_TIER_COLUMNS = (
    "event_id",
    "number",
    "name",
    "price_minor",
    "currency",
    "color",
    "general_admission",
    "capacity",
    "first_index",
)


async def lay_seats(tx: Transaction, event_id: UUID, plan: PricedPlan) -> None:
    """Write the tiers, every seat and the plan of an event that has sold nothing yet."""
    for table in ("seat_changes", "seats", "tiers", "plans"):
        await tx.rows(f"DELETE FROM {table} WHERE event_id = $1", event_id)
    units = list(plan.layout.seats())
    await tx.driver.copy_records_to_table("tiers", records=_tiers(event_id, plan), columns=_TIER_COLUMNS)
    await tx.driver.copy_records_to_table(
        "seats", records=((event_id, *unit) for unit in units), columns=_SEAT_COLUMNS
    )
    await tx.rows(
        "INSERT INTO plans (event_id, document, source) VALUES ($1, $2, $3)",
        event_id,
        orjson.dumps(plan.layout.to_document()).decode(),
        plan.source,
    )
    await tx.rows("UPDATE events SET total_seats = $2 WHERE id = $1", event_id, len(units))


def _tiers(event_id: UUID, plan: PricedPlan) -> list[tuple[object, ...]]:
    capacities = [0] * len(plan.tiers)
    first_indexes: list[int | None] = [None] * len(plan.tiers)
    for index, number, *_ in plan.layout.seats():
        if capacities[number] == 0:
            first_indexes[number] = index
        capacities[number] += 1
    return [
        (
            event_id,
            number,
            tier.name,
            tier.price_minor,
            plan.currency,
            plan.layout.colors[number],
            tier.general_admission_capacity is not None,
            capacities[number],
            first_indexes[number],
        )
        for number, tier in enumerate(plan.tiers)
    ]
