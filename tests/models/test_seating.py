"""The best seats that are free: together, at the front and in the middle, and no lone seat left behind."""

from itertools import pairwise
from math import cos, radians, sin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from models.layouts import Area, Layout, Place, Row, Section
from models.seating import SeatingIndex, best_available

PITCH = 24.0
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def a_house(*rows: str, areas: tuple[Area, ...] = ()) -> Layout:
    """Draw rows of digits, each a seat of that tier, from the stage to the back; a space is an aisle."""
    index, drawn = 0, []
    for line, row in enumerate(rows):
        seats = []
        for column, letter in enumerate(row):
            if letter != " ":
                seats.append(Place(index, str(column), 100 + column * PITCH, 100 + line * PITCH, int(letter)))
                index += 1
        drawn.append(Row(str(line + 1), tuple(seats)))
    width = 200 + (max(map(len, rows)) - 1) * PITCH
    return Layout(width, 2_000.0, (Section("Hall", tuple(drawn)),), areas, (None,) * 10)


def chosen(
    rows: list[str], statuses: list[str], quantity: int, tier: int | None = 0, avoid: tuple[int, ...] = ()
) -> list[int]:
    letters = "".join(statuses).replace(" ", "")
    return best_available(SeatingIndex.of(a_house(*rows)), letters, quantity, tier, avoid)


def test_an_empty_house_gives_the_middle_of_the_first_row() -> None:
    rows = ["000000000", "000000000"]
    assert chosen(rows, ["A" * 9, "A" * 9], 3) == [3, 4, 5]


def test_the_front_is_where_the_stage_is() -> None:
    stage = Area("Main STAGE", 100, 500, 96, 20)
    index = SeatingIndex.of(a_house("00000", "00000", areas=(stage,)))
    assert best_available(index, "A" * 10, 5, 0) == [5, 6, 7, 8, 9]


def test_a_tier_named_stage_is_no_stage() -> None:
    stage = Area("Stage side", 100, 500, 96, 20, 1, 10, 5)
    index = SeatingIndex.of(a_house("00000", "00000", areas=(stage,)))
    assert best_available(index, "A" * 15, 5, 0) == [0, 1, 2, 3, 4]


def test_a_row_behind_is_better_than_to_be_torn_apart() -> None:
    assert chosen(["000000", "000000"], ["AASSAA", "SSAAAS"], 3) == [8, 9, 10]


def test_no_seat_is_left_alone_if_a_row_behind_avoids_it() -> None:
    assert chosen(["000", "0000"], ["AAA", "AAAA"], 2) == [3, 4]
    assert chosen(["000"], ["AAA"], 2) in ([0, 1], [1, 2])


def test_an_aisle_parts_neighbours_and_counts_as_taken() -> None:
    assert chosen(["00 00 0000"], ["AA AA AAAA"], 4) == [4, 5, 6, 7]
    assert chosen(["0000  000"], ["AAAA  AAA"], 3) == [4, 5, 6]


def test_a_free_seat_of_another_tier_is_company() -> None:
    assert chosen(["0001", "0000"], ["AAAA", "AAAA"], 2) == [0, 1]
    assert chosen(["0001", "0001"], ["AAAS", "AAAA"], 2) == [4, 5]


def test_a_tier_that_is_named_is_kept_to() -> None:
    assert chosen(["0000", "1111"], ["AAAA", "AAAA"], 4, tier=1) == [4, 5, 6, 7]
    assert chosen(["0000", "1111"], ["AAAA", "SAAA"], 4, tier=1) == []
    assert chosen(["0000"], ["AAAA"], 1, tier=7) == []


def test_any_tier_is_of_one_tier_if_a_row_behind_has_it() -> None:
    assert chosen(["0011", "0000"], ["AAAA", "AAAA"], 4, tier=None) == [4, 5, 6, 7]


def test_any_tier_is_side_by_side_before_it_is_of_one_tier() -> None:
    assert chosen(["0011", "0000"], ["AAAA", "ASAS"], 4, tier=None) == [0, 1, 2, 3]


def test_any_tier_is_torn_over_tiers_only_when_no_tier_has_enough() -> None:
    rows = ["000", "111"]
    assert chosen(rows, ["ASA", "ASA"], 2, tier=None) in ([0, 2], [3, 5])
    assert chosen(rows, ["ASA", "ASA"], 4, tier=None) == [0, 2, 3, 5]


def test_a_torn_party_sits_in_neighbouring_rows() -> None:
    rows = ["0000", "0000", "0000", "0000"]
    assert chosen(rows, ["SAAA", "SSAA", "SSSS", "SSAA"], 5) == [1, 2, 3, 6, 7]


def test_a_torn_party_leaves_no_one_alone_if_it_can_be_helped() -> None:
    assert chosen(["0000", "0000", "0000"], ["AAAS", "AASS", "ASSS"], 4) == [0, 1, 2, 8]


def test_a_torn_party_begins_with_the_most_who_can_sit_together() -> None:
    rows = ["0000000", "0000000", "0000000"]
    assert chosen(rows, ["ASASASA", "SSSSSSS", "AAAASSA"], 5) == [2, 14, 15, 16, 17]


def test_the_middle_of_a_bowed_row_is_best() -> None:
    angles = [radians(60 + 5 * number) for number in range(13)]
    seats = [Place(i, str(i), 500 + 300 * cos(a), 300 * sin(a), 0) for i, a in enumerate(angles)]
    hall = Section("Hall", (Row("1", tuple(seats)),))
    index = SeatingIndex.of(Layout(1_000.0, 400.0, (hall,), (), (None,)))
    assert best_available(index, "A" * 13, 3) == [5, 6, 7]


def test_seats_to_avoid_count_as_taken() -> None:
    assert chosen(["00000", "00000"], ["AAAAA", "AAAAA"], 3, avoid=(2, 99, -1)) == [5, 6, 7]


def test_too_few_seats_are_none() -> None:
    assert chosen(["000"], ["ASA"], 3) == []
    assert chosen(["000"], ["SHC"], 1) == []


def test_general_admission_is_never_chosen() -> None:
    standing = Area("Standing", 0, 0, 10, 10, 1, 3, 100)
    index = SeatingIndex.of(a_house("000", areas=(standing,)))
    assert best_available(index, "SSS" + "A" * 100, 1) == []
    assert best_available(index, "AAA" + "A" * 100, 4) == []


def test_a_house_without_numbered_seats_has_none() -> None:
    index = SeatingIndex.of(Layout(10.0, 10.0, (), (), (None,)))
    assert best_available(index, "AAAA", 1) == []


def test_statuses_may_be_bytes() -> None:
    index = SeatingIndex.of(a_house("00000"))
    assert best_available(index, b"AAAAA", 1, 0) == best_available(index, "AAAAA", 1, 0)


@pytest.mark.parametrize("quantity", [1, 2, 7, 50])
def test_a_fragmented_house_is_filled_to_the_last_seat(quantity: int) -> None:
    index = SeatingIndex.of(a_house(*["0" * 20] * 5))
    statuses = "AS" * 50
    assert len(best_available(index, statuses, quantity, 0)) == quantity


def evenly_spaced(row: str) -> bool:
    """Say whether most gaps of a row are those of neighbours, so that an aisle can be told from them."""
    columns = [column for column, letter in enumerate(row) if letter != " "]
    gaps = sorted(right - left for left, right in pairwise(columns))
    return bool(columns) and (not gaps or gaps[(len(gaps) - 1) // 2] == 1)


houses = some.lists(some.text("001 ", min_size=1, max_size=9).filter(evenly_spaced), min_size=1, max_size=5)


def neighbours_of(layout: Layout) -> list[list[Place]]:
    """Cut the rows where the drawing has a space."""
    stretches = []
    for row in layout.rows():
        stretch: list[Place] = []
        for seat in row.seats:
            if stretch and seat.x - stretch[-1].x > PITCH * 1.5:
                stretches.append(stretch)
                stretch = []
            stretch.append(seat)
        stretches += [stretch] if stretch else []
    return stretches


def lone_seats(free: set[int], stretches: list[list[Place]]) -> set[int]:
    alone = set()
    for stretch in stretches:
        indexes = [seat.index for seat in stretch]
        for index in free & set(indexes):
            if not {index - 1, index + 1} & free & set(indexes):
                alone.add(index)
    return alone


def blocks(free: set[int], stretches: list[list[Place]], quantity: int, tier: int | None) -> list[list[int]]:
    """List every choice of neighbours, slowly and surely."""
    found = []
    for stretch in stretches:
        for start in range(len(stretch) - quantity + 1):
            block = stretch[start : start + quantity]
            if all(seat.index in free and tier in (None, seat.tier) for seat in block):
                found.append([seat.index for seat in block])
    return found


@UNHURRIED
@given(houses, some.integers(1, 6), some.sampled_from([None, 0, 1]), some.data())
def test_the_promise_holds_in_any_house(
    rows: list[str], quantity: int, tier: int | None, data: some.DataObject
) -> None:
    layout = a_house(*rows)
    statuses = data.draw(some.text("AAAS", min_size=layout.total, max_size=layout.total))
    avoid = data.draw(some.sets(some.integers(0, layout.total - 1), max_size=3))
    free = {index for index, letter in enumerate(statuses) if letter == "A"} - avoid
    tiers = {seat.index: seat.tier for row in layout.rows() for seat in row.seats}
    of_tier = {index for index in free if tier in (None, tiers[index])}

    index = SeatingIndex.of(layout)
    answer = best_available(index, statuses, quantity, tier, avoid)

    assert len(answer) == (quantity if len(of_tier) >= quantity else 0)
    assert answer == sorted(set(answer))
    assert set(answer) <= of_tier
    stretches = neighbours_of(layout)
    together = blocks(free, stretches, quantity, tier)
    if not together:
        return
    assert answer in together
    before = lone_seats(free, stretches)

    def held_against(block: list[int]) -> tuple[int, bool, int]:
        alone = lone_seats(free - set(block), stretches) - before
        cost = sum(index.score_sums[seat + 1] - index.score_sums[seat] for seat in block)
        return len(alone), len({tiers[seat] for seat in block}) > 1, cost

    assert held_against(answer) == min(map(held_against, together))
