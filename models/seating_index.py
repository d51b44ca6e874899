"""What the choice of seats needs to know of a layout, prepared once: who sits next to whom, and how well."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from math import dist, hypot
from statistics import fmean, median_low

from models.layouts import Area, Layout, Place, Row

SCORES_PER_UNIT = 100
_AISLE_FROM_SPACINGS = 1.8
_SIDEWAYS_WEIGHT = 0.5
_NO_DIRECTION_BELOW = 0.1


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbours of one tier, as indexes from `start` to before `end`, within the neighbours of any tier.

    Before `first` and from `last` on there is an aisle or the end of the row. `best` is the least score.
    """

    start: int
    end: int
    first: int
    last: int
    best: int


@dataclass(frozen=True)
class SeatingIndex:
    """A layout, prepared for `best_available`; it depends on nothing that is sold, so it is kept per event.

    `spans` has each tier's, the best first, and under None those that take any tier for the same.
    `score_sums[i]` is the sum of the scores of the seats below i; a small score is a good seat. Scores are
    whole, so that equal choices stay equal and the same house always gives the same seats.
    """

    spans: dict[int | None, tuple[Span, ...]]
    score_sums: list[int]
    xs: list[float]
    ys: list[float]

    @property
    def seat_count(self) -> int:
        return len(self.xs)

    @property
    def tiers(self) -> list[int]:
        """The tiers that have numbered seats."""
        return sorted(tier for tier in self.spans if tier is not None)

    @classmethod
    def of(cls, layout: Layout) -> "SeatingIndex":
        """Prepare a layout."""
        seats = [seat for row in layout.rows() for seat in row.seats]
        scores = _scores(seats, _front(layout))
        stretches = list(chain.from_iterable(map(_neighbours, layout.rows())))
        spans: dict[int | None, list[Span]] = {None: []}
        for stretch in stretches:
            first, last = stretch[0].index, stretch[-1].index + 1
            spans[None].append(Span(first, last, first, last, min(scores[first:last])))
            for tier, start, end in _of_one_tier(stretch):
                spans.setdefault(tier, []).append(Span(start, end, first, last, min(scores[start:end])))
        return cls(
            {tier: tuple(sorted(of_tier, key=lambda span: span.best)) for tier, of_tier in spans.items()},
            list(accumulate(scores, initial=0)),
            [seat.x for seat in seats],
            [seat.y for seat in seats],
        )


def _neighbours(row: Row) -> Iterator[list[Place]]:
    """Cut a row at its aisles, where the gap is much larger than the row's usual spacing."""
    if not row.seats:
        return
    gaps = [dist((a.x, a.y), (b.x, b.y)) for a, b in pairwise(row.seats)]
    widest = median_low(gaps) * _AISLE_FROM_SPACINGS if gaps else 0.0
    stretch = [row.seats[0]]
    for seat, gap in zip(row.seats[1:], gaps, strict=True):
        if gap > widest:
            yield stretch
            stretch = []
        stretch.append(seat)
    yield stretch


def _of_one_tier(stretch: list[Place]) -> Iterator[tuple[int, int, int]]:
    start = stretch[0].index
    for seat, following in pairwise(stretch):
        if following.tier != seat.tier:
            yield seat.tier, start, following.index
            start = following.index
    yield stretch[-1].tier, start, stretch[-1].index + 1


def _front(layout: Layout) -> tuple[float, float]:
    """Find the middle of the stage; without one, the stage is thought at the top of the plan."""
    for area in layout.areas:
        if area.tier is None and "stage" in area.name.casefold():
            return _middle(area)
    return layout.width / 2, 0.0


def _middle(area: Area) -> tuple[float, float]:
    return area.x + area.width / 2, area.y + area.height / 2


def _scores(seats: list[Place], front: tuple[float, float]) -> list[int]:
    """Score every seat: its distance from the stage, and in part that from the middle line of its tier."""
    places_of_tier: dict[int, list[tuple[float, float]]] = {}
    for seat in seats:
        places_of_tier.setdefault(seat.tier, []).append((seat.x - front[0], seat.y - front[1]))
    directions = {tier: _direction(places) for tier, places in places_of_tier.items()}
    scores = []
    for seat in seats:
        right, down = directions[seat.tier]
        x, y = seat.x - front[0], seat.y - front[1]
        distance = hypot(x, y) + _SIDEWAYS_WEIGHT * abs(x * down - y * right)
        scores.append(round(distance * SCORES_PER_UNIT))
    return scores


def _direction(places: list[tuple[float, float]]) -> tuple[float, float]:
    """Point from the stage to the middle of these, or straight down if they lie all around it."""
    right, down = fmean(x for x, _ in places), fmean(y for _, y in places)
    length, usual = hypot(right, down), fmean(hypot(x, y) for x, y in places)
    if length <= usual * _NO_DIRECTION_BELOW:
        return 0.0, 1.0
    return right / length, down / length
