"""The demo's plans are what they say: their sizes, the same every time, nobody in anybody's lap."""

from collections import Counter
from math import dist, floor

import orjson
import pytest

from demo.plans import PLANS
from models.layouts import Layout
from models.plans import TierOffer, lay_out
from models.seating import SeatingIndex, best_available

SEAT_DIAMETER = 20


def laid_out(name: str) -> Layout:
    plan = PLANS[name]
    tiers = [TierOffer(tier, places) for tier, _, places in plan.tiers]
    return lay_out(orjson.dumps(plan.draw()).decode(), tiers)


def seats_of(layout: Layout) -> list[tuple[float, float]]:
    return [(seat.x, seat.y) for row in layout.rows() for seat in row.seats]


@pytest.mark.parametrize(
    ("name", "total_min", "total_max", "sections_min"),
    [("theatre", 1_150, 1_250, 3), ("arena", 18_000, 20_000, 20), ("club", 540, 540, 3)],
)
def test_a_house_has_the_size_that_it_is_known_for(
    name: str, total_min: int, total_max: int, sections_min: int
) -> None:
    layout = laid_out(name)
    assert total_min <= layout.total <= total_max
    assert len(layout.sections) >= sections_min
    assert any(area.name == "Stage" for area in layout.areas)
    assert all(layout.colors)


def test_the_club_has_500_places_to_stand_and_40_seats() -> None:
    layout = laid_out("club")
    assert Counter(section for _, _, section, _, _ in layout.seats()) == {
        "Standing": 500,
        "Tables": 20,
        "Gallery": 12,
        "Booths": 8,
    }


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_is_drawn_the_same_every_time(name: str) -> None:
    assert PLANS[name].draw() == PLANS[name].draw()


@pytest.mark.parametrize("name", PLANS)
def test_everything_lies_within_the_size_that_the_plan_gives(name: str) -> None:
    size, layout = PLANS[name].draw()["size"], laid_out(name)
    assert (layout.width, layout.height) == (size["width"], size["height"])
    radius = SEAT_DIAMETER / 2
    for x, y in seats_of(layout):
        assert radius <= x <= layout.width - radius
        assert radius <= y <= layout.height - radius


@pytest.mark.parametrize("name", PLANS)
def test_no_two_seats_overlap(name: str) -> None:
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for seat in seats_of(laid_out(name)):
        column, line = floor(seat[0] / SEAT_DIAMETER), floor(seat[1] / SEAT_DIAMETER)
        around = [(column + right, line + down) for right in (-1, 0, 1) for down in (-1, 0, 1)]
        assert all(dist(seat, other) >= SEAT_DIAMETER for cell in around for other in cells.get(cell, ()))
        cells.setdefault((column, line), []).append(seat)


@pytest.mark.parametrize("name", PLANS)
def test_no_seat_stands_on_an_area(name: str) -> None:
    layout = laid_out(name)
    for area in layout.areas:
        for x, y in seats_of(layout):
            assert not (area.x < x < area.x + area.width and area.y < y < area.y + area.height)


@pytest.mark.parametrize("name", PLANS)
def test_a_stored_house_stays_small(name: str) -> None:
    assert len(orjson.dumps(laid_out(name).to_document())) < 400_000


def test_the_best_three_of_the_theatre_are_in_the_middle_of_the_first_row() -> None:
    layout = laid_out("theatre")
    chosen = best_available(SeatingIndex.of(layout), "A" * layout.total, 3)
    first = layout.sections[0].rows[0]
    middle = [seat for seat in first.seats if seat.index in chosen]
    assert len(middle) == 3
    assert abs(sum(seat.x for seat in middle) / 3 - layout.width / 2) <= 12


def test_a_row_of_the_theatre_is_cut_at_its_aisles() -> None:
    layout = laid_out("theatre")
    spans = SeatingIndex.of(layout).spans[None]
    assert len([span for span in spans if span.end <= len(layout.sections[0].rows[0].seats)]) == 3
