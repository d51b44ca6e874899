"""Change what an event is, within what its state and its sales still allow."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.catalogue import Event, Hall
from models.money import to_major
from steps.create_catalogue import SEARCH
from steps.details import EVENT_DETAILS, EventDetails, PricedPlan, TierDraft, price_plan
from steps.lay_seats import lay_seats
from steps.locks import lock_all_seats, lock_event
from steps.refusals import RefusalCode, Refused, invalid

BEFORE_THE_FIRST_SALE = {"hall_id", "timezone", "tiers", "seat_plan"}


async def update_event(
    tx: Transaction,
    *,
    event_id: UUID,
    changes: dict[str, Any],
    tiers: list[TierDraft] | None = None,
    seat_plan: str | None = None,
) -> Event:
    """Change an event; `changes` are fields of `EventDetails`, and what is not named stays as it is.

    Hall, time zone and tiers can change before the first sale only. The plan of a published event never
    changes: until its first sale its tiers may get other prices, but no other seats.
    """
    row = await lock_event(tx, event_id)
    if row is None:
        raise Refused(RefusalCode.EVENT_NOT_FOUND)
    if row["status"] not in {"DRAFT", "PUBLISHED"}:
        raise Refused(RefusalCode.EVENT_INVALID_STATE, "The event is over or cancelled.")
    details = replace(EventDetails(**{name: row[name] for name in EVENT_DETAILS}), **changes)
    details.check()
    named = (
        set(changes) | ({"tiers"} if tiers is not None else set()) | ({"seat_plan"} if seat_plan else set())
    )
    if named & BEFORE_THE_FIRST_SALE:
        await _refuse_after_the_first_sale(tx, event_id)
    if "hall_id" in changes and await tx.session.get(Hall, details.hall_id) is None:
        raise Refused(RefusalCode.HALL_NOT_FOUND)
    if tiers is not None or seat_plan is not None:
        await _lay_anew(tx, row, tiers, seat_plan)
    return await _write(tx, event_id, details)


async def _refuse_after_the_first_sale(tx: Transaction, event_id: UUID) -> None:
    """Every seat is locked in one statement, so that the next one sees each order there ever was."""
    await lock_all_seats(tx, event_id)
    if await tx.value("SELECT EXISTS (SELECT FROM orders WHERE event_id = $1)", event_id):
        raise Refused(
            RefusalCode.EVENT_INVALID_STATE,
            "Hall, time zone, tiers and plan cannot change after the first sale.",
        )


async def _lay_anew(
    tx: Transaction, event: Record, tiers: list[TierDraft] | None, seat_plan: str | None
) -> None:
    event_id, is_published = event["id"], event["status"] == "PUBLISHED"
    if is_published and seat_plan is not None:
        raise Refused(RefusalCode.EVENT_INVALID_STATE, "The plan of a published event never changes.")
    source = seat_plan or await tx.value("SELECT source FROM plans WHERE event_id = $1", event_id)
    if tiers is None:
        tiers = await tier_drafts(tx, event_id)
    plan = await price_plan(source, tiers, event["currency"])
    if not is_published:
        await lay_seats(tx, event_id, plan)
        return
    if _shape(tiers) != _shape(await tier_drafts(tx, event_id)):
        raise invalid("input.tiers", "The tiers of a published event can change in price only.")
    await _write_prices(tx, event_id, plan)


async def tier_drafts(tx: Transaction, event_id: UUID) -> list[TierDraft]:
    """The tiers of an event as an operator would give them."""
    rows = await tx.rows("SELECT * FROM tiers WHERE event_id = $1 ORDER BY number", event_id)
    return [
        TierDraft(
            row["name"],
            to_major(row["price_minor"], row["currency"]),
            row["capacity"] if row["general_admission"] else None,
        )
        for row in rows
    ]


def _shape(tiers: list[TierDraft]) -> list[tuple[str, int | None]]:
    return [(tier.name, tier.general_admission_capacity) for tier in tiers]


async def _write_prices(tx: Transaction, event_id: UUID, plan: PricedPlan) -> None:
    for number, tier in enumerate(plan.tiers):
        await tx.rows(
            "UPDATE tiers SET price_minor = $3 WHERE event_id = $1 AND number = $2",
            event_id,
            number,
            tier.price_minor,
        )


async def _write(tx: Transaction, event_id: UUID, details: EventDetails) -> Event:
    columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(EVENT_DETAILS, start=2))
    values = [getattr(details, name) for name in EVENT_DETAILS]
    await tx.rows(f"UPDATE events SET {columns} WHERE id = $1", event_id, *values)
    await tx.rows(SEARCH, event_id)
    event = await tx.session.get(Event, event_id)
    assert event is not None
    return event
