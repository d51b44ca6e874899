"""Whatever the text, it is laid out or refused; nothing else can happen."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from models.layouts import Layout
from models.plans import PlanError, TierOffer, lay_out

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])

json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def sizes(*names: str) -> some.SearchStrategy[dict[str, int]]:
    return some.fixed_dictionaries({name: some.integers(0, 99) for name in names})


numbers = some.integers(-500, 500) | some.floats(-1e6, 1e6)
positions = some.fixed_dictionaries({"x": numbers, "y": numbers})
names = some.sampled_from(["Stalls", "Standing", "A", "é", 7])
seats_of = some.fixed_dictionaries(
    {
        "seat_guid": some.uuids().map(str),
        "seat_number": names,
        "position": positions,
        "category": some.just("Stalls"),
    }
)
rows_of = some.fixed_dictionaries(
    {"row_number": names, "seats": some.lists(seats_of, max_size=3)}, optional={"position": positions}
)
areas_of = some.fixed_dictionaries(
    {
        "rectangle": sizes("width", "height"),
        "circle": sizes("radius"),
        "ellipse": some.fixed_dictionaries({"radius": sizes("x", "y")}),
        "polygon": some.fixed_dictionaries({"points": some.lists(positions, min_size=1, max_size=3)}),
        "text": some.fixed_dictionaries({"text": names}, optional={"position": positions}),
    },
    optional={
        "shape": some.sampled_from(["rectangle", "circle", "ellipse", "polygon", "text"]),
        "position": positions,
        "rotation": numbers,
        "color": some.sampled_from(["#abc", "#a0b1c2", "red"]),
    },
)
zones_of = some.fixed_dictionaries(
    {"rows": some.lists(rows_of, max_size=3)},
    optional={"name": names, "position": positions, "areas": some.lists(areas_of, max_size=2)},
)
plans_of = some.fixed_dictionaries(
    {"zones": some.lists(zones_of, max_size=3)},
    optional={"name": names, "size": sizes("width", "height")},
)


def spots(part: Any) -> list[tuple[Any, Any]]:
    """List every value within a document as its container and its key."""
    keys = list(part) if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else []
    return [(part, key) for key in keys] + [spot for key in keys for spot in spots(part[key])]


def laid_out_or_reason(text: str, tiers: list[TierOffer]) -> Layout | str:
    try:
        return lay_out(text, tiers)
    except PlanError as refused:
        return str(refused)


@UNHURRIED
@given(plans_of, some.integers(0, 2), some.booleans(), some.data())
def test_any_json_is_laid_out_or_refused_with_a_sentence(
    plan: Any, mistakes: int, stands: bool, data: some.DataObject
) -> None:
    for _ in range(mistakes):
        container, key = data.draw(some.sampled_from(spots(plan)))
        container[key] = data.draw(json_values)
    tiers = [TierOffer("Standing", 5)] if stands else [TierOffer("Stalls"), TierOffer("Standing", 5)]
    layout = laid_out_or_reason(json.dumps(plan), tiers)
    if isinstance(layout, str):
        assert layout.endswith(".")
        assert "\n" not in layout
        return
    assert [unit[0] for unit in layout.seats()] == list(range(layout.total))
    assert Layout.from_document(orjson.loads(orjson.dumps(layout.to_document()))) == layout
    for row in layout.rows():
        assert all(0 <= seat.x <= layout.width and 0 <= seat.y <= layout.height for seat in row.seats)


@UNHURRIED
@given(json_values)
def test_any_value_is_laid_out_or_refused(value: Any) -> None:
    with pytest.raises(PlanError):
        lay_out(json.dumps(value), [TierOffer("Stalls")])


@UNHURRIED
@given(some.text())
def test_any_text_is_laid_out_or_refused(text: str) -> None:
    with pytest.raises(PlanError):
        lay_out(text, [TierOffer("Stalls")])
