"""How the demo's plans are drawn: rows on arcs and on lines, areas, and the format's zones and categories."""

from collections.abc import Iterable, Sequence
from math import cos, degrees, dist, radians, sin
from typing import Any

Point = tuple[float, float]
Part = dict[str, Any]

ROW_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""As theatres label their rows: nobody is sent to row I or O, which look like 1 and 0."""


def position(x: float, y: float) -> dict[str, float]:
    return {"x": round(x, 1), "y": round(y, 1)}


def arc(centre: Point, radius: float, first_degrees: float, last_degrees: float, pitch: float) -> list[Point]:
    """Place as many seats as fit from one angle to another, a pitch apart along the arc and centred on it.

    Angles are 0 to the right, 90 to the bottom, 180 to the left.
    """
    first, last = radians(first_degrees), radians(last_degrees)
    return [polar(centre, radius, degrees(angle)) for angle in _spread(first, last, pitch / radius)]


def polar(centre: Point, radius: float, angle_degrees: float) -> Point:
    """Find the point at this distance and angle; angles are those of `arc`."""
    angle = radians(angle_degrees)
    return centre[0] + radius * cos(angle), centre[1] + radius * sin(angle)


def line(start: Point, end: Point, pitch: float) -> list[Point]:
    """Place as many seats as fit on a straight line, a pitch apart and centred on it."""
    length = dist(start, end)
    right, down = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    return [(start[0] + right * way, start[1] + down * way) for way in _spread(0, length, pitch)]


def _spread(first: float, last: float, step: float) -> list[float]:
    count = int(abs(last - first) / step)
    signed = step if last > first else -step
    lead = (first + last - signed * (count - 1)) / 2
    return [lead + signed * i for i in range(count)]


def row(zone: str, label: str, places: Iterable[Point], category: str | Sequence[str]) -> Part:
    """Make a row of the zone that has this name; the categories are one for all, or one a seat."""
    seats = [
        {
            "seat_guid": f"{zone}-{label}-{number}".lower().replace(" ", "-"),
            "seat_number": str(number),
            "position": position(x, y),
            "category": category if isinstance(category, str) else category[number - 1],
        }
        for number, (x, y) in enumerate(places, 1)
    ]
    return {"row_number": label, "row_number_position": "both", "position": position(0, 0), "seats": seats}


def zone(name: str, rows: Sequence[Part], areas: Sequence[Part] = ()) -> Part:
    return {"name": name, "position": position(0, 0), "rows": list(rows), "areas": list(areas)}


def rectangle(text: str, left: float, top: float, width: float, height: float, color: str) -> Part:
    """Draw a rectangle, with its text in the middle if it has one."""
    shape = _area("rectangle", {"width": width, "height": height}, left, top, color)
    return shape | _labelled(text, width / 2, height / 2)


def circle(text: str, x: float, y: float, radius: float, color: str) -> Part:
    """Draw a circle around a point, with its text in the middle if it has one."""
    return _area("circle", {"radius": radius}, x, y, color) | _labelled(text, 0, 0)


def plan(name: str, size: tuple[int, int], colors: dict[str, str], zones: Sequence[Part]) -> Part:
    return {
        "name": name,
        "size": {"width": size[0], "height": size[1]},
        "categories": [{"name": category, "color": color} for category, color in colors.items()],
        "zones": list(zones),
    }


def _area(shape: str, sides: Part, x: float, y: float, color: str) -> Part:
    return {
        "shape": shape,
        shape: sides,
        "color": color,
        "border_color": "#444444",
        "rotation": 0,
        "position": position(x, y),
    }


def _labelled(text: str, x: float, y: float) -> Part:
    return {"text": {"text": text, "color": "#ffffff", "position": position(x, y)}} if text else {}
