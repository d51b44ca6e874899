"""Typed fields of a seating plan's JSON: each reader returns what it promises or says what is wrong."""

import re
from typing import Any

NAME_CHARACTERS_MAX = 200
LABEL_CHARACTERS_MAX = 50
COORDINATE_MAX = 1_000_000
_QUOTED_CHARACTERS_MAX = 40
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LONG_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_SHORT_COLOR = re.compile(r"#[0-9a-fA-F]{3}")


class PlanError(ValueError):
    """A plan cannot be laid out; the message is a sentence for a person and names the place in the plan."""


class Unfit(Exception):
    """What is wrong with a part, as a clause; whoever knows where the part stands makes it a sentence."""


def quoted(text: str) -> str:
    """Quote a name from a plan for a message, shortened and without control characters."""
    shown = text if len(text) <= _QUOTED_CHARACTERS_MAX else text[: _QUOTED_CHARACTERS_MAX - 1] + "…"
    return repr(shown)


def fit_text(text: str, what: str, characters_max: int) -> str:
    """Return the text, or say why it cannot be kept."""
    if len(text) > characters_max:
        raise Unfit(f"{what} is longer than {characters_max} characters")
    if _UNSTORABLE.search(text):
        raise Unfit(f"{what} contains a character that cannot be stored (U+0000 or half a surrogate pair)")
    return text


def text_in(part: dict[str, Any], key: str, characters_max: int) -> str:
    """Read a text; a whole number, as hand-made files have it for a row or a seat, becomes its digits."""
    value = part.get(key)
    if value is None:
        raise Unfit(f"its {key} is missing")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise Unfit(f"its {key} must be a text")
    return fit_text(value, f"its {key}", characters_max)


def optional_text_in(part: dict[str, Any], key: str, characters_max: int) -> str:
    """Read a text that may be missing, which reads as empty."""
    return "" if part.get(key) is None else text_in(part, key, characters_max)


def object_in(part: dict[str, Any], key: str) -> dict[str, Any]:
    """Read an object."""
    value = part.get(key)
    if value is None:
        raise Unfit(f"its {key} is missing")
    return fit_object(value, f"its {key}")


def fit_object(value: Any, what: str) -> dict[str, Any]:
    """Return the value if it is an object."""
    if not isinstance(value, dict):
        raise Unfit(f"{what} must be an object")
    return value


def list_in(part: dict[str, Any], key: str) -> list[Any]:
    """Read a list that has to be there."""
    value = part.get(key)
    if value is None:
        raise Unfit(f"its {key} are missing")
    if not isinstance(value, list):
        raise Unfit(f"its {key} must be a list")
    return value


def optional_list_in(part: dict[str, Any], key: str) -> list[Any]:
    """Read a list that may be missing, which reads as empty."""
    return [] if part.get(key) is None else list_in(part, key)


def number_in(part: dict[str, Any], key: str) -> float:
    """Read a number between -1,000,000 and 1,000,000."""
    value = part.get(key)
    if value is None:
        raise Unfit(f"its {key} is missing")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(f"its {key} must be a number")
    if not -COORDINATE_MAX <= value <= COORDINATE_MAX:
        raise Unfit(f"its {key} must lie between {-COORDINATE_MAX:,} and {COORDINATE_MAX:,}")
    return float(value)


def length_in(part: dict[str, Any], key: str) -> float:
    """Read a number that is not negative."""
    value = number_in(part, key)
    if value < 0:
        raise Unfit(f"its {key} must not be negative")
    return value


def position_in(part: dict[str, Any]) -> tuple[float, float]:
    """Read a position that has to be there."""
    position = object_in(part, "position")
    return number_in(position, "x"), number_in(position, "y")


def optional_position_in(part: dict[str, Any]) -> tuple[float, float]:
    """Read a position that may be missing, which reads as the origin."""
    return (0.0, 0.0) if part.get("position") is None else position_in(part)


def color_in(part: dict[str, Any]) -> str | None:
    """Read a colour as #rrggbb in small letters; one that is missing or written in another way is none."""
    color = part.get("color")
    if not isinstance(color, str):
        return None
    if _LONG_COLOR.fullmatch(color):
        return color.lower()
    if _SHORT_COLOR.fullmatch(color):
        return "#" + "".join(digit * 2 for digit in color[1:].lower())
    return None
