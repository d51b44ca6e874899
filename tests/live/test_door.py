"""How full each section is, counted from the updates that every seat map gets."""

from live.changes import Change
from live.door import Count, DoorTally
from live.updates import Changes, Snapshot

RUNS = [("Stalls", 3), ("Circle", 2), ("Stalls", 1)]
"""Two stretches of seats in a section of the same name."""


def changes(*states: tuple[int, str]) -> Changes:
    return Changes(1, tuple(Change(1, index, 1, status) for index, status in states), 0)


def test_sections_are_counted_by_who_is_inside_and_who_has_a_ticket() -> None:
    tally = DoorTally(RUNS)
    assert tally.take(Snapshot(0, "SCACHS", 1)) == [Count("Stalls", 1, 3), Count("Circle", 1, 1)]


def test_a_change_moves_a_seat_from_one_count_to_another() -> None:
    tally = DoorTally(RUNS)
    tally.take(Snapshot(0, "SCACHS", 1))
    assert tally.take(changes((0, "C"))) == [Count("Stalls", 2, 3), Count("Circle", 1, 1)]
    assert tally.take(changes((4, "S"), (5, "A"))) == [Count("Stalls", 2, 2), Count("Circle", 1, 2)]
    assert tally.take(changes((0, "S"), (3, "S"))) == [Count("Stalls", 1, 2), Count("Circle", 0, 2)]


def test_what_leaves_the_counts_as_they_are_is_not_told() -> None:
    tally = DoorTally(RUNS)
    tally.take(Snapshot(0, "SCACHS", 1))
    assert tally.take(changes((2, "H"))) is None
    assert tally.take(changes((0, "C"), (0, "S"))) is None
    assert tally.take(Snapshot(9, "SCBCAS", 1)) is None
    assert tally.take(Snapshot(9, "CCCCCC", 0)) == [Count("Stalls", 4, 4), Count("Circle", 2, 2)]
