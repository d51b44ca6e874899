"""One pass over a seating plan's zones, rows and seats, which names the place of whatever is wrong."""

from collections.abc import Mapping
from typing import Any

from models.layouts import SEATS_PER_EVENT_MAX, Place, Row, Section
from models.plan_areas import DrawnArea, read_area
from models.plan_fields import (
    LABEL_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    PlanError,
    Unfit,
    color_in,
    fit_object,
    length_in,
    list_in,
    object_in,
    optional_list_in,
    optional_position_in,
    optional_text_in,
    position_in,
    quoted,
    text_in,
)

AREAS_PER_PLAN_MAX = 1_000
_TIERS_NAMED_MAX = 10


class PlanReading:
    """What is known of a plan while it is read from its first zone to its last."""

    def __init__(self, tiers: Mapping[str, int], admissions: frozenset[str], admission_places: int) -> None:
        """Take the tiers' names with their numbers, and which are general admission with how many places."""
        self.tiers = tiers
        self.admissions = admissions
        self.seats_max = SEATS_PER_EVENT_MAX - admission_places
        self.width = self.height = 0.0
        self.sections: list[Section] = []
        self.drawn: list[DrawnArea] = []
        self.colors: dict[str, str | None] = {}
        self.seated: set[int] = set()
        self._seat_of_guid: dict[str, tuple[str, str]] = {}

    @property
    def seat_count(self) -> int:
        return len(self._seat_of_guid)

    def read(self, plan: dict[str, Any]) -> None:
        """Read the whole plan, or raise `PlanError`."""
        try:
            optional_text_in(plan, "name", NAME_CHARACTERS_MAX)
            if plan.get("size") is not None:
                size = object_in(plan, "size")
                self.width, self.height = length_in(size, "width"), length_in(size, "height")
            zones = list_in(plan, "zones")
            categories = optional_list_in(plan, "categories")
        except Unfit as reason:
            raise PlanError(f"The plan cannot be used: {reason}.") from None
        for number, category in enumerate(categories, 1):
            self._read_category(category, number)
        for number, zone in enumerate(zones, 1):
            self._read_zone(zone, number)

    def _read_category(self, part: Any, number: int) -> None:
        try:
            category = fit_object(part, "it")
            name = text_in(category, "name", NAME_CHARACTERS_MAX)
        except Unfit as reason:
            raise PlanError(f"{_called('Category', part, 'name', number)}: {reason}.") from None
        self.colors.setdefault(name, color_in(category))

    def _read_zone(self, part: Any, number: int) -> None:
        called = _called("Zone", part, "name", number)
        try:
            zone = fit_object(part, "it")
            name = optional_text_in(zone, "name", NAME_CHARACTERS_MAX) or f"Zone {number}"
            origin = optional_position_in(zone)
            row_parts, area_parts = optional_list_in(zone, "rows"), optional_list_in(zone, "areas")
        except Unfit as reason:
            raise PlanError(f"{called}: {reason}.") from None
        rows = [self._row(row, origin, called, number) for number, row in enumerate(row_parts, 1)]
        if seated := tuple(row for row in rows if row.seats):
            self.sections.append(Section(name, seated))
        for number, area in enumerate(area_parts, 1):
            self._read_area(area, origin, called, number)

    def _read_area(self, part: Any, origin: tuple[float, float], zone: str, number: int) -> None:
        if len(self.drawn) >= AREAS_PER_PLAN_MAX:
            raise PlanError(f"{zone}: with it the plan has more than {AREAS_PER_PLAN_MAX:,} areas.")
        try:
            self.drawn.append(read_area(fit_object(part, "it"), *origin))
        except Unfit as reason:
            raise PlanError(f"{zone}, area number {number}: {reason}.") from None

    def _row(self, part: Any, origin: tuple[float, float], zone: str, number: int) -> Row:
        called = f"{zone}, {_called('row', part, 'row_number', number)}"
        try:
            row = fit_object(part, "it")
            label = text_in(row, "row_number", LABEL_CHARACTERS_MAX)
            x, y = optional_position_in(row)
            seat_parts = list_in(row, "seats")
        except Unfit as reason:
            raise PlanError(f"{called}: {reason}.") from None
        x, y = origin[0] + x, origin[1] + y
        seats = (self._seat(seat, x, y, called, number) for number, seat in enumerate(seat_parts, 1))
        return Row(label, tuple(seats))

    def _seat(self, part: Any, row_x: float, row_y: float, row: str, number: int) -> Place:
        index = self.seat_count
        if index >= self.seats_max:
            raise PlanError(f"{row}: with it the event has more than {SEATS_PER_EVENT_MAX:,} places.")
        try:
            seat = fit_object(part, "it")
            label = text_in(seat, "seat_number", LABEL_CHARACTERS_MAX)
            if not label:
                raise Unfit("its seat_number is empty")
            self._remember(text_in(seat, "seat_guid", NAME_CHARACTERS_MAX), row, label)
            x, y = position_in(seat)
            tier = self._tier(text_in(seat, "category", NAME_CHARACTERS_MAX))
        except Unfit as reason:
            raise PlanError(f"{row}, {_called('seat', part, 'seat_number', number)}: {reason}.") from None
        self.seated.add(tier)
        return Place(index, label, round(row_x + x, 2) + 0.0, round(row_y + y, 2) + 0.0, tier)

    def _remember(self, guid: str, row: str, label: str) -> None:
        if guid in self._seat_of_guid:
            other_row, other = self._seat_of_guid[guid]
            place = f"{other_row[0].lower()}{other_row[1:]}, seat {quoted(other)}"
            raise Unfit(f"the guid {quoted(guid)} is already used by {place}")
        self._seat_of_guid[guid] = row, label

    def _tier(self, category: str) -> int:
        if category in self.admissions:
            raise Unfit(f"its category {quoted(category)} is sold as general admission, without seats")
        if category not in self.tiers:
            names = ", ".join(quoted(name) for name in list(self.tiers)[:_TIERS_NAMED_MAX])
            raise Unfit(f"no tier has the name of its category {quoted(category)} (there are {names})")
        return self.tiers[category]


def _called(kind: str, part: Any, key: str, number: int) -> str:
    """Name a part for a message: by its own name, or else by its number in the list."""
    name = part.get(key) if isinstance(part, dict) else None
    if isinstance(name, bool) or not isinstance(name, str | int) or name == "":
        return f"{kind} number {number}"
    return f"{kind} {quoted(str(name))}"
