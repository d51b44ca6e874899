"""The ring: a bounded past, read by number or by revision, and never with a hole."""

from live.changes import Change
from live.ring import RING_CHANGES_MAX, Ring
from live.updates import Changes


def update(first: int, last: int) -> Changes:
    return Changes(last, tuple(Change(r, 0, r, "H") for r in range(first, last + 1)), 0)


def revisions(ring: Ring, after: int) -> list[int] | None:
    changes = ring.since(after)
    return None if changes is None else [change.revision for change in changes]


def test_changes_since_a_revision_begin_also_in_the_middle_of_an_update() -> None:
    ring = Ring()
    ring.begin_again(update(4, 6))
    ring.add(update(7, 7))
    ring.add(update(8, 10))
    assert revisions(ring, 3) == [4, 5, 6, 7, 8, 9, 10]
    assert revisions(ring, 5) == [6, 7, 8, 9, 10]
    assert revisions(ring, 9) == [10]
    assert revisions(ring, 10) == []


def test_a_revision_that_is_trimmed_negative_or_in_the_future_is_not_there() -> None:
    ring = Ring()
    ring.begin_again(update(4, 6))
    assert [ring.since(revision) for revision in (2, 0, -1, 7, 2**40)] == [None] * 5


def test_an_event_without_a_log_is_at_its_revision() -> None:
    ring = Ring()
    ring.begin_again(Changes(9, (), 0))
    assert [revisions(ring, after) for after in (8, 9, 10)] == [None, [], None]


def test_the_oldest_updates_go_when_there_are_too_many_changes() -> None:
    ring = Ring()
    ring.begin_again(Changes(0, (), 0))
    first = ring.first
    for nth in range(100):
        ring.add(update(100 * nth + 1, 100 * nth + 100))
        assert (
            len(ring.since(100 * nth + 100 - min(100 * nth, RING_CHANGES_MAX - 100)) or ())
            <= RING_CHANGES_MAX
        )
    assert ring.end - ring.first == RING_CHANGES_MAX // 100
    assert ring.first > first
    assert ring.at(ring.first).changes[0].revision == 10_000 - RING_CHANGES_MAX + 1
    assert ring.at(ring.end - 1).revision == 10_000
    assert ring.since(10_000 - RING_CHANGES_MAX - 1) is None


def test_one_update_that_is_too_big_is_kept_until_the_next() -> None:
    ring = Ring()
    ring.begin_again(Changes(0, (), 0))
    ring.add(update(1, 2 * RING_CHANGES_MAX))
    assert len(ring.since(0) or ()) == 2 * RING_CHANGES_MAX
    ring.add(update(2 * RING_CHANGES_MAX + 1, 2 * RING_CHANGES_MAX + 1))
    assert ring.since(0) is None
    assert ring.end - ring.first == 1


def test_every_number_from_before_a_new_beginning_is_behind() -> None:
    ring = Ring()
    ring.begin_again(update(1, 3))
    ring.add(update(4, 4))
    up_to_date = ring.end
    ring.begin_again(update(7, 9))
    assert up_to_date < ring.first
    assert revisions(ring, 4) is None
    assert revisions(ring, 6) == [7, 8, 9]
