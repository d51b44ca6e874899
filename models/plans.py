"""Seating plans in the open JSON format of zones, rows and seats: matched with the tiers and laid out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from models.layouts import SEATS_PER_EVENT_MAX, Area, Layout, Row, Section
from models.plan_fields import NAME_CHARACTERS_MAX, PlanError, Unfit, fit_text, quoted
from models.plan_reading import PlanReading

__all__ = ["PLAN_CHARACTERS_MAX", "SEATS_PER_EVENT_MAX", "PlanError", "TierOffer", "lay_out"]

PLAN_CHARACTERS_MAX = 32 * 1024 * 1024
TIERS_PER_EVENT_MAX = 100
_MARGIN = 20.0
_WIDTH_WITHOUT_PLAN = 1000.0
_BAND_SHARE_OF_WIDTH = 0.12


@dataclass(frozen=True)
class TierOffer:
    """A tier to match the plan with; without a general-admission capacity its seats come from the plan."""

    name: str
    general_admission_capacity: int | None = None


def lay_out(text: str | None, tiers: Sequence[TierOffer]) -> Layout:
    """Lay out a plan for these tiers, or raise `PlanError`; without a plan there is general admission only.

    A seat belongs to the tier that has the name of its category; its place is the sum of its zone's, its
    row's and its own position. Each zone with seats becomes a section, also where two have one name; a zone
    without a name is called by its number. A general-admission tier takes the first drawn area whose text,
    name or category is the tier's name, or else gets a band below the plan. A plan without a size, or with
    something outside of it, is made as large as what it holds.
    """
    _check(tiers)
    numbers = {tier.name: number for number, tier in enumerate(tiers)}
    admissions = frozenset(tier.name for tier in tiers if tier.general_admission_capacity is not None)
    reading = PlanReading(numbers, admissions, _admission_places(tiers))
    if text is not None:
        reading.read(_parsed(text))
    for name, number in numbers.items():
        if name not in admissions and number not in reading.seated:
            reason = "has no seats in the plan and no general-admission capacity"
            raise PlanError(f"The tier {quoted(name)} {reason}.")
    return _with_admissions(_framed(_read_layout(reading, numbers)), tiers, reading)


def _check(tiers: Sequence[TierOffer]) -> None:
    if not 1 <= len(tiers) <= TIERS_PER_EVENT_MAX:
        raise PlanError(f"An event must have 1 to {TIERS_PER_EVENT_MAX} tiers.")
    for tier in tiers:
        _check_tier(tier)
    if len({tier.name for tier in tiers}) < len(tiers):
        raise PlanError("Two tiers have the same name.")
    if _admission_places(tiers) > SEATS_PER_EVENT_MAX:
        raise PlanError(f"An event can have {SEATS_PER_EVENT_MAX:,} places at most.")


def _check_tier(tier: TierOffer) -> None:
    if not tier.name:
        raise PlanError("Every tier must have a name.")
    try:
        fit_text(tier.name, "the name", NAME_CHARACTERS_MAX)
    except Unfit as reason:
        raise PlanError(f"The tier {quoted(tier.name)} cannot be used: {reason}.") from None
    if tier.general_admission_capacity is not None and tier.general_admission_capacity < 1:
        raise PlanError(f"The general-admission capacity of the tier {quoted(tier.name)} must be 1 or more.")


def _admission_places(tiers: Sequence[TierOffer]) -> int:
    return sum(tier.general_admission_capacity or 0 for tier in tiers)


def _parsed(text: str) -> dict[str, Any]:
    if len(text) > PLAN_CHARACTERS_MAX:
        raise PlanError(f"The plan is longer than {PLAN_CHARACTERS_MAX:,} characters.")
    try:
        document = orjson.loads(text.removeprefix("\ufeff"))
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise PlanError(f"The plan is not JSON: {error.msg}, at {where}.") from None
    if not isinstance(document, dict):
        raise PlanError("The plan must be a JSON object.")
    return document


def _read_layout(reading: PlanReading, numbers: dict[str, int]) -> Layout:
    return Layout(
        reading.width,
        reading.height,
        tuple(reading.sections),
        tuple(drawn.area for drawn in reading.drawn),
        tuple(reading.colors.get(name) for name in numbers),
    )


def _framed(layout: Layout) -> Layout:
    """Move and widen the plan so that nothing lies outside of it."""
    boxes = [(seat.x, seat.y, seat.x, seat.y) for row in layout.rows() for seat in row.seats]
    boxes += [(area.x, area.y, area.x + area.width, area.y + area.height) for area in layout.areas]
    if not boxes:
        return layout
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    right, width = _frame(min(lefts), max(rights), layout.width)
    down, height = _frame(min(tops), max(bottoms), layout.height)
    if right or down:
        layout = _moved(layout, right, down)
    return replace(layout, width=width, height=height)


def _frame(first: float, last: float, size: float) -> tuple[float, float]:
    """Say how far to move, and the new size, so that all from first to last lies between 0 and the size."""
    move = _MARGIN - first if first < 0 else 0.0
    size += move
    return move, round(size if last + move <= size else last + move + _MARGIN, 2)


def _moved(layout: Layout, right: float, down: float) -> Layout:
    def moved_row(row: Row) -> Row:
        places = (replace(seat, x=round(seat.x + right, 2), y=round(seat.y + down, 2)) for seat in row.seats)
        return Row(row.label, tuple(places))

    sections = (Section(part.name, tuple(moved_row(row) for row in part.rows)) for part in layout.sections)
    areas = (replace(area, x=round(area.x + right, 2), y=round(area.y + down, 2)) for area in layout.areas)
    return replace(layout, sections=tuple(sections), areas=tuple(areas))


def _with_admissions(layout: Layout, tiers: Sequence[TierOffer], reading: PlanReading) -> Layout:
    """Give every general-admission tier its area and its indexes, which follow those of the seats."""
    areas, colors, index = list(layout.areas), list(layout.colors), reading.seat_count
    width, height = layout.width or _WIDTH_WITHOUT_PLAN, layout.height or _MARGIN
    for number, tier in enumerate(tiers):
        places = tier.general_admission_capacity
        if places is None:
            continue
        drawn = (i for i, area in enumerate(reading.drawn) if tier.name in area.names and not areas[i].places)
        at = next(drawn, len(areas))
        if at < len(reading.drawn):
            colors[number] = colors[number] or reading.drawn[at].color
        else:
            areas.append(_band(tier.name, width, height))
            height = round(height + areas[at].height + _MARGIN, 2)
        areas[at] = replace(areas[at], name=tier.name, tier=number, first_index=index, places=places)
        index += places
    return replace(layout, width=width, height=height, areas=tuple(areas), colors=tuple(colors))


def _band(name: str, width: float, top: float) -> Area:
    margin = min(_MARGIN, width / 4)
    return Area(name, margin, top, round(width - 2 * margin, 2), round(width * _BAND_SHARE_OF_WIDTH, 2))
