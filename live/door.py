"""Who is inside, by section, as a screen at the door shows it: counted from what every seat map is told."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from live.updates import Snapshot, Update
from models.seats import SeatStatus

INSIDE, SOLD = SeatStatus.CHECKED_IN.value, SeatStatus.SOLD.value


@dataclass(frozen=True, slots=True)
class Count:
    """How many of a section are inside, and how many have a ticket, the former among them."""

    section: str
    inside: int
    expected: int


class DoorTally:
    """Counts one event's seats by section; it is told each update once, in order.

    `runs` are the event's seats in the order of their index: a section, and how many seats of it follow.
    """

    def __init__(self, runs: Iterable[tuple[str, int]]) -> None:
        places: dict[str, int] = {}
        self._section_of = array("I")
        for section, seats in runs:
            self._section_of.extend([places.setdefault(section, len(places))] * seats)
        self._sections = list(places)
        self._letters: list[str] = []
        self._inside: list[int] = []
        self._sold: list[int] = []
        self._told: list[Count] | None = None

    def take(self, update: Update) -> list[Count] | None:
        """Count an update, and return the counts if they are not those of before."""
        if isinstance(update, Snapshot):
            self._begin(update.statuses)
        else:
            for change in update.changes:
                self._count(change.index, self._letters[change.index], -1)
                self._count(change.index, change.status, 1)
                self._letters[change.index] = change.status
        counts = [
            Count(section, inside, inside + sold)
            for section, inside, sold in zip(self._sections, self._inside, self._sold, strict=True)
        ]
        if counts == self._told:
            return None
        self._told = counts
        return counts

    def _begin(self, letters: Sequence[str]) -> None:
        self._letters = list(letters)
        self._inside, self._sold = ([0] * len(self._sections) for _ in range(2))
        for index, letter in enumerate(self._letters):
            self._count(index, letter, 1)

    def _count(self, index: int, letter: str, by: int) -> None:
        if letter == INSIDE:
            self._inside[self._section_of[index]] += by
        elif letter == SOLD:
            self._sold[self._section_of[index]] += by
