"""An arena of more than 18,000 seats: a floor before the stage, and two rings around both."""

from collections.abc import Callable
from itertools import chain
from math import degrees

from demo.drawing import Part, Point, arc, line, plan, rectangle, row, zone

_PITCH = 24.0
_ROW_PITCH = 30.0
_AISLE = 48.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 1900.0, 1360.0, 2700.0, 2960.0
"""The rectangle that both rings run around, straight along its sides and in arcs at its corners."""

Side = Callable[[float], list[Point]]
"""A section's row of places at a distance from the rectangle."""


def arena() -> Part:
    """Draw the arena; its categories are Golden Circle, Floor, Lower Bowl, Upper Bowl and Upper Rear."""
    middle = (_LEFT + _RIGHT) / 2
    stage = rectangle("Stage", middle - 480, _TOP - 240, 960, 330, "#1f2430")
    desk = rectangle("Mixing desk", middle - 130, _BOTTOM + 130, 260, 80, "#555b66")
    return plan(
        "Arena",
        (4600, 4860),
        {
            "Golden Circle": "#c9a227",
            "Floor": "#b3263b",
            "Lower Bowl": "#d9822b",
            "Upper Bowl": "#2f7d6d",
            "Upper Rear": "#3f5fa8",
        },
        [
            zone("House", [], [stage, desk]),
            *_floor(middle),
            *_ring(100, 340, 22, _sides(corner_parts=2), rear_from=99),
            *_ring(200, 1090, 26, _sides(corner_parts=4), rear_from=15),
        ],
    )


def _floor(middle: float) -> list[Part]:
    """Set chairs on the floor: four blocks side by side, three deep, the first of them the best."""
    zones = []
    for block in range(12):
        across, deep = block % 4, block // 4
        left, top = middle - 636 + across * 324, _TOP + 190 + deep * 530
        name, category = f"Floor {'ABC'[deep]}{across + 1}", "Floor" if deep else "Golden Circle"
        rows = [
            row(name, str(n + 1), line((left, top + 36 * n), (left + 300, top + 36 * n), _PITCH), category)
            for n in range(13)
        ]
        zones.append(zone(name, rows))
    return zones


def _ring(first_number: int, distance: float, depth: int, sides: list[Side], rear_from: int) -> list[Part]:
    zones = []
    for number, side in enumerate(sides, first_number + 1):
        name = f"Section {number}"
        front = "Lower Bowl" if first_number == 100 else "Upper Bowl"
        rows = [
            row(name, str(n), side(distance + _ROW_PITCH * n), "Upper Rear" if n >= rear_from else front)
            for n in range(1, depth + 1)
        ]
        zones.append(zone(name, rows))
    return zones


def _sides(corner_parts: int) -> list[Side]:
    """List a ring's sections clockwise, from the right of the stage around to its left."""
    step = 90 / corner_parts
    parts = range(corner_parts)
    behind = range(corner_parts // 2)
    return list(
        chain(
            [_corner((_RIGHT, _TOP), 315 + step * part, step) for part in behind],
            [_straight((_RIGHT, _TOP + 400 * part), (0, 400), (1, 0)) for part in range(4)],
            [_corner((_RIGHT, _BOTTOM), step * part, step) for part in parts],
            [_straight((_RIGHT - 400 * part, _BOTTOM), (-400, 0), (0, 1)) for part in range(2)],
            [_corner((_LEFT, _BOTTOM), 90 + step * part, step) for part in parts],
            [_straight((_LEFT, _BOTTOM - 400 * part), (0, -400), (-1, 0)) for part in range(4)],
            [_corner((_LEFT, _TOP), 180 + step * part, step) for part in behind],
        )
    )


def _corner(centre: Point, first_degrees: float, span_degrees: float) -> Side:
    """Bow a section around a corner; seats count from the left as seen by who sits there."""

    def places(distance: float) -> list[Point]:
        half_aisle = degrees(_AISLE / 2 / distance)
        last = first_degrees + span_degrees - half_aisle
        return arc(centre, distance, last, first_degrees + half_aisle, _PITCH)

    return places


def _straight(start: Point, along: Point, outward: Point) -> Side:
    """Line a section up beside a side; seats count from the left as seen by who sits there."""
    trim = _AISLE / 2 / 400

    def places(distance: float) -> list[Point]:
        x, y = start[0] + outward[0] * distance, start[1] + outward[1] * distance
        last = (x + along[0] * (1 - trim), y + along[1] * (1 - trim))
        return line(last, (x + along[0] * trim, y + along[1] * trim), _PITCH)

    return places
