"""The languages that the house writes to people in."""

from enum import StrEnum

RANGES_READ_MAX = 20


class Language(StrEnum):
    """A language that every message can be written in."""

    EN = "en"
    DE = "de"


def language_of(accepted: object) -> Language:
    """The one of ours that somebody likes best, by an Accept-Language header or one tag; else English."""
    if not isinstance(accepted, str):
        return Language.EN
    liked = [_range(text) for text in accepted.split(",")[:RANGES_READ_MAX]]
    ours = [(weight, name) for weight, name in liked if weight > 0 and name in set(Language)]
    return Language(max(ours, key=lambda one: one[0])[1]) if ours else Language.EN


def _range(text: str) -> tuple[float, str]:
    """A range such as `de-AT;q=0.8`: how much it is liked, and its language."""
    tag, _, weight = text.partition(";")
    name = tag.strip().lower().replace("_", "-").partition("-")[0]
    try:
        return float(weight.strip().removeprefix("q=") or 1), name
    except ValueError:
        return 0, name
