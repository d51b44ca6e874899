"""The map of an event: letters, how many are free, and one snapshot for all who ask."""

from uuid import UUID

import pytest

from live.changes import CHANGES_PER_MESSAGE_MAX, Change, decode, encode
from live.seat_map import SeatMap
from live.updates import Changes, Snapshot


def test_changes_are_taken_over_and_the_free_seats_counted() -> None:
    seats = SeatMap(6, "AAHS")
    changes = (Change(7, 0, 1, "H"), Change(8, 2, 4, "A"), Change(9, 0, 2, "A"), Change(10, 3, 2, "C"))
    assert seats.apply(changes) == Changes(10, changes, 3)
    assert seats.snapshot() == Snapshot(10, "AAAC", 3)


def test_a_snapshot_is_made_once_until_the_next_change() -> None:
    seats = SeatMap(0, "AA")
    before = seats.snapshot()
    assert seats.snapshot() is before
    seats.apply((Change(1, 1, 1, "B"),))
    assert (before.statuses, seats.snapshot().statuses) == ("AA", "AB")


@pytest.mark.parametrize(("index", "is_there"), [(0, True), (1, True), (2, False), (-1, False)])
def test_a_map_knows_which_seats_it_has(index: int, is_there: bool) -> None:
    assert SeatMap(0, "AA").has([Change(1, index, 1, "H")]) is is_there


def test_what_is_said_of_changes_is_understood_again() -> None:
    event_id = UUID("01890000-0000-7000-8000-000000000000")
    changes = tuple(Change(nth, nth, 1, "H") for nth in range(CHANGES_PER_MESSAGE_MAX))
    assert decode(encode(event_id, changes)) == changes
    with pytest.raises(AssertionError):
        encode(event_id, [*changes, changes[0]])


@pytest.mark.parametrize(
    "words", ["", "nonsense", "[]", "{}", '{"changes": [1]}', '{"changes": [[1, 2, 3, "AA"]]}', "null"]
)
def test_words_that_are_not_ours_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match="not changes of seats"):
        decode(words)
