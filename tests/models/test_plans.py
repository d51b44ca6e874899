"""Seating plans are laid out as the format says: places, indexes, sections and areas."""

import json
from typing import Any

import orjson
import pytest

from models.layouts import Area, Layout, Place
from models.plans import TierOffer, lay_out

STALLS = [TierOffer("Stalls")]


def a_seat(guid: str, number: Any = "1", x: Any = 0, y: Any = 0, category: Any = "Stalls") -> dict[str, Any]:
    return {
        "seat_guid": guid,
        "seat_number": number,
        "position": {"x": x, "y": y},
        "category": category,
        "radius": 10,
    }


def a_row(label: Any, *seats: dict[str, Any], x: float = 0, y: float = 0) -> dict[str, Any]:
    return {
        "row_number": label,
        "row_number_position": "both",
        "position": {"x": x, "y": y},
        "seats": list(seats),
    }


def a_zone(name: str, *rows: dict[str, Any], x: float = 0, y: float = 0, areas: Any = ()) -> dict[str, Any]:
    position = {"x": x, "y": y}
    return {"name": name, "uuid": "z", "position": position, "rows": list(rows), "areas": list(areas)}


def a_plan(*zones: dict[str, Any], size: Any = (500, 400)) -> str:
    categories = [{"name": "Stalls", "color": "#AA3300"}, {"name": "Nobody's", "color": "red"}]
    plan: dict[str, Any] = {"name": "House", "categories": categories, "zones": list(zones)}
    if size:
        plan["size"] = {"width": size[0], "height": size[1]}
    return json.dumps(plan)


def test_a_seat_lies_at_the_sum_of_zone_row_and_seat() -> None:
    text = a_plan(a_zone("Stalls", a_row("A", a_seat("g", "7", 1.005, 2), x=10, y=20), x=100, y=200))
    layout = lay_out(text, STALLS)
    assert layout.sections[0].rows[0].seats == (Place(0, "7", 111.0, 222.0, 0),)
    assert (layout.width, layout.height, layout.total, layout.colors) == (500.0, 400.0, 1, ("#aa3300",))


def test_indexes_are_dense_in_plan_order_and_general_admission_follows_tier_by_tier() -> None:
    tiers = [TierOffer("Standing", 2), TierOffer("Stalls"), TierOffer("Balcony", 1)]
    zones = [
        a_zone("Left", a_row("A", a_seat("1"), a_seat("2", "2")), a_row("B", a_seat("3"))),
        a_zone("Left", a_row("A", a_seat("4"))),
    ]
    layout = lay_out(a_plan(*zones), tiers)
    assert list(layout.seats()) == [
        (0, 1, "Left", "A", "1"),
        (1, 1, "Left", "A", "2"),
        (2, 1, "Left", "B", "1"),
        (3, 1, "Left", "A", "1"),
        (4, 0, "Standing", "", ""),
        (5, 0, "Standing", "", ""),
        (6, 2, "Balcony", "", ""),
    ]
    assert (layout.total, layout.numbered, len(layout.sections)) == (7, 4, 2)


def test_numbers_for_labels_are_tolerated_and_empty_rows_are_left_out() -> None:
    text = a_plan(a_zone("Stalls", a_row(3, a_seat("1", 12)), a_row("4")), a_zone("Foyer"))
    layout = lay_out(text, STALLS)
    assert list(layout.seats()) == [(0, 0, "Stalls", "3", "12")]


def test_a_zone_without_a_name_is_called_by_its_number() -> None:
    text = json.dumps({"zones": [{"rows": [a_row("A", a_seat("1"))]}]})
    assert lay_out(text, STALLS).sections[0].name == "Zone 1"


def test_a_plan_without_a_size_is_as_large_as_what_it_holds() -> None:
    text = a_plan(a_zone("Stalls", a_row("A", a_seat("1", x=30, y=40), a_seat("2", x=90, y=40))), size=None)
    layout = lay_out(text, STALLS)
    assert (layout.width, layout.height) == (110.0, 60.0)


def test_what_lies_outside_of_the_plan_moves_into_it() -> None:
    areas = [{"shape": "circle", "circle": {"radius": 10}, "position": {"x": 600, "y": 50}}]
    text = a_plan(a_zone("Stalls", a_row("A", a_seat("1", x=-30, y=40)), areas=areas))
    layout = lay_out(text, STALLS)
    (seat,) = layout.sections[0].rows[0].seats
    assert (seat.x, seat.y, layout.areas[0].x) == (20.0, 40.0, 640.0)
    assert (layout.width, layout.height) == (680.0, 400.0)


def test_every_shape_is_reduced_to_the_box_around_it() -> None:
    at = {"position": {"x": 100, "y": 100}}
    areas: list[dict[str, Any]] = [
        at | {"shape": "rectangle", "rectangle": {"width": 40, "height": 20}, "text": {"text": "Stage"}},
        at | {"shape": "rectangle", "rectangle": {"width": 40, "height": 20}, "rotation": 90},
        at | {"shape": "circle", "circle": {"radius": 5}},
        at | {"shape": "ellipse", "ellipse": {"radius": {"x": 8, "y": 4}}, "rotation": 90},
        at | {"shape": "polygon", "polygon": {"points": [{"x": 0, "y": 0}, {"x": 9, "y": 3}]}},
        at | {"shape": "text", "text": {"text": "Exit", "size": 10, "position": {"x": 0, "y": 0}}},
        at | {"width": 30, "height": 10, "text": "Bar"},
    ]
    layout = lay_out(a_plan(a_zone("Stalls", a_row("A", a_seat("1")), areas=areas)), STALLS)
    assert layout.areas == (
        Area("Stage", 100, 100, 40, 20),
        Area("", 80, 100, 20, 40),
        Area("", 95, 95, 10, 10),
        Area("", 96, 92, 8, 16),
        Area("", 100, 100, 9, 3),
        Area("Exit", 88, 94, 24, 12),
        Area("Bar", 100, 100, 30, 10),
    )


@pytest.mark.parametrize(
    "named", [{"text": {"text": "Standing"}}, {"name": "Standing"}, {"text": "Pit", "category": "Standing"}]
)
def test_a_drawn_area_becomes_the_area_of_the_tier_that_it_names(named: dict[str, Any]) -> None:
    area = {"position": {"x": 10, "y": 20}, "width": 30, "height": 40, "color": "#0F0"} | named
    layout = lay_out(a_plan(a_zone("Floor", areas=[area])), [TierOffer("Standing", 500)])
    assert layout.areas == (Area("Standing", 10, 20, 30, 40, 0, 0, 500),)
    assert (layout.height, layout.colors) == (400.0, ("#00ff00",))


def test_a_tier_without_an_area_gets_a_band_below_the_plan() -> None:
    layout = lay_out(a_plan(a_zone("Stalls", a_row("A", a_seat("1")))), [*STALLS, TierOffer("Standing", 9)])
    assert layout.areas == (Area("Standing", 20, 400, 460, 60, 1, 1, 9),)
    assert layout.height == 480.0


def test_without_a_plan_there_are_bands_one_below_the_other() -> None:
    layout = lay_out(None, [TierOffer("Front", 100), TierOffer("Back", 200)])
    assert layout.areas == (
        Area("Front", 20, 20, 960, 120, 0, 0, 100),
        Area("Back", 20, 160, 960, 120, 1, 100, 200),
    )
    assert (layout.width, layout.height, layout.total) == (1000.0, 300.0, 300)


def test_a_layout_survives_being_stored() -> None:
    tiers = [TierOffer("Stalls"), TierOffer("Box"), TierOffer("Standing", 3)]
    rows = [a_row("A", a_seat("1"), a_seat("2", "2", 24.5, category="Box")), a_row("B", a_seat("3"))]
    layout = lay_out(a_plan(a_zone("Stalls", *rows), a_zone("Loge", a_row("", a_seat("4")))), tiers)
    assert Layout.from_document(orjson.loads(orjson.dumps(layout.to_document()))) == layout


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert lay_out("\ufeff" + a_plan(a_zone("Stalls", a_row("A", a_seat("1")))), STALLS).total == 1
