"""The best seats that are free: side by side if the house still has such a place, else close together."""

import re
from collections.abc import Collection, Iterable, Iterator
from heapq import nsmallest
from math import hypot
from typing import NamedTuple

from models.seating_index import SCORES_PER_UNIT, SeatingIndex, Span

__all__ = ["QUANTITY_MAX", "SeatingIndex", "best_available"]

QUANTITY_MAX = 50
_SEEDS_MAX = 3
_FREE, _TAKEN = ord("A"), ord("-")
_FREE_RUN = re.compile(b"A+")


def best_available(
    index: SeatingIndex,
    statuses: str | bytes,
    quantity: int,
    tier: int | None = None,
    avoid: Collection[int] = (),
) -> list[int]:
    """Choose this many free seats, or none when there are not enough; the indexes come in order.

    They are side by side in one row, nearest to the front and centre of their tier, if any row has room for
    all; else in pieces, few and near to each other. No choice leaves one lone free seat between taken ones
    if another choice side by side avoids it, and pieces are cut to avoid it where they can; the end of a row
    and an aisle count as taken. All are of the tier that is asked for. When none is, they are of one tier
    wherever that costs neither of these promises.

    `statuses` has one letter a seat by its index, of which A is free; `avoid` are indexes that are not to be
    taken, such as those that a rival has locked. General admission is never chosen.
    """
    assert 1 <= quantity <= QUANTITY_MAX
    house = _House(index, statuses, avoid)
    tiers = index.tiers if tier is None else [tier]
    choices = [house.side_by_side(quantity, one) for one in tiers]
    if tier is None and not any(choice and not choice.lone_seats for choice in choices):
        choices.append(house.side_by_side(quantity, None))
    if not any(choices):
        choices = [house.in_pieces(quantity, one) for one in tiers]
    if tier is None and not any(choices):
        choices = [house.in_pieces(quantity, None)]
    best = min((choice for choice in choices if choice), default=None)
    return sorted(best.seats) if best else []


class _Choice(NamedTuple):
    """Seats that could be given, in the order of what is held against them; the least is the best."""

    lone_seats: int
    any_tier: bool
    pieces: int
    cost: float
    seats: list[int]


class _Run(NamedTuple):
    """Free seats that follow each other, from `start` to before `end`."""

    start: int
    end: int
    span: Span

    @property
    def middle(self) -> int:
        return (self.start + self.end) // 2


class _House:
    """The numbered seats at one moment, free or not."""

    def __init__(self, index: SeatingIndex, statuses: str | bytes, avoid: Collection[int]) -> None:
        letters = statuses.encode("ascii", "replace") if isinstance(statuses, str) else statuses
        assert len(letters) >= index.seat_count
        self.index = index
        self.letters = bytearray(letters[: index.seat_count])
        for taken in avoid:
            if 0 <= taken < index.seat_count:
                self.letters[taken] = _TAKEN

    def side_by_side(self, quantity: int, tier: int | None) -> _Choice | None:
        """Find the best neighbours; spans come best first, so the search ends where no span can be better."""
        sums, letters, wanted = self.index.score_sums, self.letters, b"A" * quantity
        best: tuple[int, int, int] | None = None
        for span in self.index.spans.get(tier, ()):
            if best and not best[0] and span.best * quantity >= best[1]:
                break
            at = letters.find(wanted, span.start, span.end)
            while at >= 0:
                cost = sums[at + quantity] - sums[at]
                if not best or best[0] or cost < best[1]:
                    found = self._lone_seats(at, at + quantity, span), cost, at
                    best = min(best, found) if best else found
                at = letters.find(wanted, at + 1, span.end)
        if not best:
            return None
        lone_seats, cost, at = best
        return _Choice(lone_seats, tier is None, 1, cost, list(range(at, at + quantity)))

    def in_pieces(self, quantity: int, tier: int | None) -> _Choice | None:
        """Start at some of the longest runs and some of the best, add what is nearest, and take the best."""
        runs = [run for span in self.index.spans.get(tier, ()) for run in self._runs(span)]
        if sum(run.end - run.start for run in runs) < quantity:
            return None
        longest = nsmallest(_SEEDS_MAX, runs, key=lambda run: (run.start - run.end, self._score(run)))
        foremost = nsmallest(_SEEDS_MAX, runs, key=self._score)
        seeds = set(longest + foremost)
        return min(self._around(seed, runs, quantity, tier is None) for seed in seeds)

    def _runs(self, span: Span) -> Iterator[_Run]:
        for found in _FREE_RUN.finditer(self.letters, span.start, span.end):
            yield _Run(found.start(), found.end(), span)

    def _score(self, run: _Run) -> float:
        sums = self.index.score_sums
        return (sums[run.end] - sums[run.start]) / (run.end - run.start)

    def _around(self, seed: _Run, runs: list[_Run], quantity: int, any_tier: bool) -> _Choice:
        """Fill up from the runs that are nearest; those that would be left with a lone seat come last."""
        distances = self._distances(seed.middle, (run.middle for run in runs))
        nearest = [runs[at] for _, at in nsmallest(quantity, zip(distances, range(len(runs)), strict=True))]
        taken: list[int] = []
        lone_seats = pieces = 0
        for lone_seats_max in (0, 2):
            spared = []
            for run in nearest:
                missing = quantity - len(taken)
                if not missing:
                    break
                lone, start, end = self._piece(run, missing, seed.middle)
                if lone > lone_seats_max:
                    spared.append(run)
                    continue
                taken += range(start, end)
                lone_seats, pieces = lone_seats + lone, pieces + 1
            nearest = spared
        scores = (self.index.score_sums[seat + 1] - self.index.score_sums[seat] for seat in taken)
        cost = sum(scores) / SCORES_PER_UNIT + sum(self._distances(seed.middle, taken))
        return _Choice(lone_seats, any_tier, pieces, cost, taken)

    def _piece(self, run: _Run, quantity: int, near: int) -> tuple[int, int, int]:
        """Cut what is wanted out of a run: without lone seats if that can be, then near to the seat given."""
        length = min(quantity, run.end - run.start)
        cuts = []
        for start in range(run.start, run.end - length + 1):
            end = start + length
            way = sum(self._distances(near, range(start, end)))
            cuts.append((self._lone_seats(start, end, run.span), way, start, end))
        lone, _, start, end = min(cuts)
        return lone, start, end

    def _lone_seats(self, start: int, end: int, span: Span) -> int:
        """Count the neighbours, on either side, that would be left alone."""
        letters = self.letters
        left = (
            start > span.first
            and letters[start - 1] == _FREE
            and not (start - 1 > span.first and letters[start - 2] == _FREE)
        )
        right = (
            end < span.last
            and letters[end] == _FREE
            and not (end + 1 < span.last and letters[end + 1] == _FREE)
        )
        return left + right

    def _distances(self, seat: int, others: Iterable[int]) -> list[float]:
        xs, ys = self.index.xs, self.index.ys
        x, y = xs[seat], ys[seat]
        return [hypot(xs[other] - x, ys[other] - y) for other in others]
