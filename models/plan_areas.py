"""The drawn areas of a seating plan, each reduced to its name and the box around its shape."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, hypot, radians, sin
from typing import Any

from models.layouts import Area
from models.plan_fields import (
    NAME_CHARACTERS_MAX,
    Unfit,
    color_in,
    fit_object,
    length_in,
    list_in,
    number_in,
    object_in,
    optional_position_in,
    optional_text_in,
    position_in,
)

POINTS_PER_AREA_MAX = 10_000
_SHAPES = ("rectangle", "circle", "ellipse", "polygon", "text")
_TEXT_SIZE = 16
_LETTER_WIDTH, _LINE_HEIGHT = 0.6, 1.2

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, as seen from the area's position."""


@dataclass(frozen=True)
class DrawnArea:
    """An area as the plan draws it, with every name by which a tier may claim it."""

    area: Area
    names: frozenset[str]
    color: str | None


def read_area(part: dict[str, Any], origin_x: float, origin_y: float) -> DrawnArea:
    """Read one area of a zone that lies at the origin, or raise `Unfit`."""
    x, y = optional_position_in(part)
    text = _text_of(part)
    name = optional_text_in(part, "name", NAME_CHARACTERS_MAX)
    category = optional_text_in(part, "category", NAME_CHARACTERS_MAX)
    left, top, right, bottom = _box(part)
    area = Area(
        text or name,
        round(origin_x + x + left, 2) + 0.0,
        round(origin_y + y + top, 2) + 0.0,
        round(right - left, 2),
        round(bottom - top, 2),
    )
    return DrawnArea(area, frozenset({text, name, category} - {""}), color_in(part))


def _text_of(part: dict[str, Any]) -> str:
    labelled = {"text": part["text"]} if isinstance(part.get("text"), str) else part.get("text")
    if labelled is None:
        return ""
    return optional_text_in(fit_object(labelled, "its text"), "text", NAME_CHARACTERS_MAX)


def _box(part: dict[str, Any]) -> Box:
    turn = radians(number_in(part, "rotation")) if part.get("rotation") is not None else 0.0
    match _shape_of(part):
        case "rectangle":
            sides = object_in(part, "rectangle") if "rectangle" in part else part
            width, height = length_in(sides, "width"), length_in(sides, "height")
            return _around([(0, 0), (width, 0), (0, height), (width, height)], turn)
        case "circle":
            radius = length_in(object_in(part, "circle"), "radius")
            return -radius, -radius, radius, radius
        case "ellipse":
            radii = object_in(object_in(part, "ellipse"), "radius")
            return _around_ellipse(length_in(radii, "x"), length_in(radii, "y"), turn)
        case "polygon":
            return _around(_points(object_in(part, "polygon")), turn)
        case _:
            return _around_text(object_in(part, "text"))


def _shape_of(part: dict[str, Any]) -> str:
    """Older files name no shape and give an area a width and a height."""
    shape = part.get("shape")
    if shape is None:
        return next((known for known in _SHAPES[:4] if known in part), "rectangle")
    if shape not in _SHAPES:
        raise Unfit(f"its shape must be one of {', '.join(_SHAPES)}")
    return str(shape)


def _points(polygon: dict[str, Any]) -> list[tuple[float, float]]:
    points = list_in(polygon, "points")
    if not 1 <= len(points) <= POINTS_PER_AREA_MAX:
        raise Unfit(f"its polygon must have 1 to {POINTS_PER_AREA_MAX:,} points")
    corners = [fit_object(point, "each point of its polygon") for point in points]
    return [(number_in(corner, "x"), number_in(corner, "y")) for corner in corners]


def _around(points: Iterable[tuple[float, float]], turn: float) -> Box:
    turned = [(x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn)) for x, y in points]
    xs, ys = [x for x, _ in turned], [y for _, y in turned]
    return min(xs), min(ys), max(xs), max(ys)


def _around_ellipse(radius_x: float, radius_y: float, turn: float) -> Box:
    half_width = hypot(radius_x * cos(turn), radius_y * sin(turn))
    half_height = hypot(radius_x * sin(turn), radius_y * cos(turn))
    return -half_width, -half_height, half_width, half_height


def _around_text(text: dict[str, Any]) -> Box:
    """Nobody knows a text's width without its font; a map only needs to leave about the right room."""
    size = length_in(text, "size") if text.get("size") is not None else _TEXT_SIZE
    half_width = len(optional_text_in(text, "text", NAME_CHARACTERS_MAX)) * size * _LETTER_WIDTH / 2
    half_height = size * _LINE_HEIGHT / 2
    x, y = position_in(text) if text.get("position") is not None else (0.0, 0.0)
    return x - half_width, y - half_height, x + half_width, y + half_height
