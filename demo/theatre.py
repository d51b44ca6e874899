"""A theatre of some 1,200 seats: stalls, boxes, a dress circle and a balcony, bowed around the stage."""

from collections.abc import Iterator
from itertools import chain, pairwise
from math import degrees

from demo.drawing import ROW_LETTERS, Part, Point, arc, line, plan, polar, rectangle, row, zone

_CENTRE: Point = (800.0, -300.0)
_PITCH = 24.0
_ROW_PITCH = 34.0
_AISLE = 36.0
_STALLS_ROWS = 18
_PREMIUM_ROWS = 9


def theatre() -> Part:
    """Draw the theatre; its categories are Premium, Stalls, Dress Circle and Balcony."""
    stage = rectangle("Stage", _CENTRE[0] - 290, 30, 580, 130, "#1f2430")
    circle = [_bow("Dress Circle", number, 1280, (117.5, 101, 79, 62.5)) for number in range(6)]
    balcony = [_bow("Balcony", number, 1555, (114, 101, 79, 66)) for number in range(5)]
    return plan(
        "Theatre",
        (1600, 1440),
        {"Premium": "#b3263b", "Stalls": "#d9822b", "Dress Circle": "#2f7d6d", "Balcony": "#3f5fa8"},
        [
            zone("House", [], [stage]),
            zone("Stalls", [_stalls_row(number) for number in range(_STALLS_ROWS)]),
            _boxes("Boxes Left", 125),
            _boxes("Boxes Right", 55),
            zone("Dress Circle", circle),
            zone("Balcony", balcony),
        ],
    )


def _blocks(radius: float, bounds: tuple[float, ...]) -> Iterator[list[Point]]:
    """Fill a bow between its bounds; the inner ones are aisles, as wide in the last row as in the first."""
    half_aisle = degrees(_AISLE / 2 / radius)
    for first, last in pairwise(bounds):
        start = first if first == bounds[0] else first - half_aisle
        end = last if last == bounds[-1] else last + half_aisle
        yield arc(_CENTRE, radius, start, end, _PITCH)


def _stalls_row(number: int) -> Part:
    left, middle, right = _blocks(580 + _ROW_PITCH * number, (120.5, 101, 79, 59.5))
    best = "Premium" if number < _PREMIUM_ROWS else "Stalls"
    categories = ["Stalls"] * len(left) + [best] * len(middle) + ["Stalls"] * len(right)
    return row("Stalls", ROW_LETTERS[number], left + middle + right, categories)


def _bow(name: str, number: int, first_radius: float, bounds: tuple[float, ...]) -> Part:
    places = chain.from_iterable(_blocks(first_radius + _ROW_PITCH * number, bounds))
    return row(name, ROW_LETTERS[number], places, name)


def _boxes(name: str, angle: float) -> Part:
    """Draw five boxes of four seats along a side wall, one behind the other."""
    rows = []
    for number in range(1, 6):
        radius = 500 + 125 * number
        wall = polar(_CENTRE, radius, angle), polar(_CENTRE, radius + 4 * _PITCH + 1, angle)
        rows.append(row(name, str(number), line(*wall, _PITCH), "Premium"))
    return zone(name, rows)
