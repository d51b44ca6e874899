"""How an event's seats lie in its hall: sections, rows, places and areas, and the document that is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SEATS_PER_EVENT_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """A numbered seat: its index in the event, and its tier's place in the price list."""

    index: int
    number: str
    x: float
    y: float
    tier: int


@dataclass(frozen=True)
class Row:
    """Seats that follow each other, in the order of the plan; their indexes are consecutive."""

    label: str
    seats: tuple[Place, ...]


@dataclass(frozen=True)
class Section:
    """A part of the house; two sections of one plan may have the same name."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Area:
    """A box on the plan: the places of a general-admission tier, or (`tier` is None) a thing only drawn.

    `x` and `y` are the upper left corner. An area with a tier has that tier's name, and its places are the
    indexes from `first_index`.
    """

    name: str
    x: float
    y: float
    width: float
    height: float
    tier: int | None = None
    first_index: int | None = None
    places: int = 0


Unit = tuple[int, int, str, str, str]
"""Index, tier, section, row and number of a unit that can be sold, as the table of seats has them."""


@dataclass(frozen=True)
class Layout:
    """A laid out plan: indexes are dense from 0, numbered seats first, then general admission tier by tier.

    `colors` has each tier's colour as #rrggbb, or None where the plan gives none.
    """

    width: float
    height: float
    sections: tuple[Section, ...]
    areas: tuple[Area, ...]
    colors: tuple[str | None, ...]

    def rows(self) -> Iterator[Row]:
        """Every row of the house, in plan order."""
        return (row for section in self.sections for row in section.rows)

    @property
    def numbered(self) -> int:
        """How many numbered seats there are; they have the indexes below this."""
        return sum(len(row.seats) for row in self.rows())

    @property
    def total(self) -> int:
        """How many units can be sold, of either kind."""
        return self.numbered + sum(area.places for area in self.areas)

    def admissions(self) -> list[Area]:
        """The general-admission areas, in the order of their indexes."""
        return sorted((area for area in self.areas if area.places), key=lambda area: area.first_index or 0)

    def seats(self) -> Iterator[Unit]:
        """Every unit in the order of the indexes.

        In general admission the section is the tier's name, and row and number are empty.
        """
        for section in self.sections:
            for row in section.rows:
                for seat in row.seats:
                    yield seat.index, seat.tier, section.name, row.label, seat.number
        for area in self.admissions():
            assert area.tier is not None
            assert area.first_index is not None
            for index in range(area.first_index, area.first_index + area.places):
                yield index, area.tier, area.name, "", ""

    def to_document(self) -> dict[str, Any]:
        """Pack the layout as JSON-able lists; a row is its label, numbers, xs, ys, and its tier or tiers."""
        return {
            "width": self.width,
            "height": self.height,
            "sections": [[section.name, [_packed(row) for row in section.rows]] for section in self.sections],
            "areas": [
                [area.name, area.x, area.y, area.width, area.height, area.tier, area.first_index, area.places]
                for area in self.areas
            ],
            "colors": list(self.colors),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Layout":
        """Unpack what `to_document` packed."""
        sections, index = [], 0
        for name, packed_rows in document["sections"]:
            rows = []
            for packed in packed_rows:
                row = _unpacked(packed, index)
                index += len(row.seats)
                rows.append(row)
            sections.append(Section(name, tuple(rows)))
        areas = tuple(Area(*packed) for packed in document["areas"])
        size = float(document["width"]), float(document["height"])
        return cls(*size, tuple(sections), areas, tuple(document["colors"]))


def _packed(row: Row) -> list[Any]:
    tiers = [seat.tier for seat in row.seats]
    return [
        row.label,
        [seat.number for seat in row.seats],
        [seat.x for seat in row.seats],
        [seat.y for seat in row.seats],
        tiers[0] if len(set(tiers)) == 1 else tiers,
    ]


def _unpacked(packed: list[Any], first: int) -> Row:
    label, numbers, xs, ys, tiers = packed
    count = len(numbers)
    each = [tiers] * count if isinstance(tiers, int) else tiers
    return Row(label, tuple(map(Place, range(first, first + count), numbers, xs, ys, each)))
