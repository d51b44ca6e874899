"""Which seats a buyer gets who asked for a number of them: general admission, and best available."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import orjson

from database import Transaction
from models.layouts import Layout
from models.seating import SeatingIndex, best_available
from models.seats import is_free
from steps.locks import FREE_PLACES
from steps.refusals import InFlight, RefusalCode, Refused, invalid

K = TypeVar("K")
V = TypeVar("V")

EVENTS_REMEMBERED_MAX = 64
TIERS_REMEMBERED_MAX = 4_096

STATUSES = f"""
    SELECT coalesce(string_agg(CASE WHEN {is_free("seats")} THEN 'A' ELSE 'S' END, '' ORDER BY index), '')
    FROM seats WHERE event_id = $1"""


@dataclass(frozen=True)
class GeneralAdmission:
    """So many places of each of these tiers, as (tier, quantity)."""

    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class BestAvailable:
    """So many numbered seats, the best there are together; of one tier, or of any when it is None."""

    quantity: int
    tier: int | None = None


_next_place: OrderedDict[tuple[UUID, int], int] = OrderedDict()
"""Where the last search in a tier ended: a hint, so that nobody scans all sold places from the front."""

_houses: OrderedDict[UUID, SeatingIndex] = OrderedDict()
"""The houses of published events, whose plans never change, ready to choose in."""


async def general_admission_places(tx: Transaction, event_id: UUID, wish: GeneralAdmission) -> list[int]:
    """Lock free places of these tiers and return their indexes, or refuse when there are not enough.

    A first try passes over places that others have in hand and, when it finds too few, asks to be run
    again; the second waits for them, in the order of the key, before it says that they are sold.
    """
    quantities: dict[int, int] = {}
    for number, quantity in wish.places:
        quantities[number] = quantities.get(number, 0) + quantity
    tiers = await tx.rows(
        """SELECT number, general_admission, first_index, capacity FROM tiers
           WHERE event_id = $1 AND number = ANY($2::int[]) ORDER BY first_index""",
        event_id,
        list(quantities),
    )
    if len(tiers) < len(quantities):
        raise Refused(RefusalCode.TIER_NOT_FOUND)
    if not all(tier["general_admission"] for tier in tiers):
        raise invalid("input.selection.generalAdmission", "The seats of this tier are numbered: choose them.")
    found: list[int] = []
    for tier in tiers:
        first, wanted = tier["first_index"], quantities[tier["number"]]
        places = await _free_places(tx, event_id, first, first + tier["capacity"], wanted)
        if len(places) < wanted:
            kind = Refused if tx.may_wait else InFlight
            raise kind(RefusalCode.NOT_ENOUGH_SEATS)
        found += places
    return sorted(found)


async def _free_places(tx: Transaction, event_id: UUID, first: int, end: int, wanted: int) -> list[int]:
    if tx.may_wait:
        return [row["index"] for row in await tx.rows(FREE_PLACES, event_id, first, end, wanted)]
    start = _next_place.get((event_id, first), first)
    places: list[int] = []
    for low, high in ((start, end), (first, start)):
        if len(places) < wanted and low < high:
            rows = await tx.rows(f"{FREE_PLACES} SKIP LOCKED", event_id, low, high, wanted - len(places))
            places += [row["index"] for row in rows]
    if places:
        _remember(_next_place, (event_id, first), places[-1] + 1, TIERS_REMEMBERED_MAX)
    return places


async def best_seats(
    tx: Transaction, event_id: UUID, wish: BestAvailable, *, avoid: Collection[int]
) -> list[int]:
    """Return the indexes of the best seats that look free now, without locking them, or refuse.

    Those to `avoid` others had in hand: they may give them up, so a lack of seats asks to be run again.
    """
    if wish.tier is not None:
        await _refuse_unless_numbered(tx, event_id, wish.tier)
    house = _houses.get(event_id) or await _house(tx, event_id)
    statuses: str = await tx.value(
        STATUSES,
        event_id,
    )
    indexes = best_available(house, statuses, wish.quantity, wish.tier, avoid)
    if not indexes:
        kind = InFlight if avoid else Refused
        raise kind(RefusalCode.NOT_ENOUGH_SEATS)
    return sorted(indexes)


async def _refuse_unless_numbered(tx: Transaction, event_id: UUID, tier: int) -> None:
    general_admission = await tx.value(
        "SELECT general_admission FROM tiers WHERE event_id = $1 AND number = $2", event_id, tier
    )
    if general_admission is None:
        raise Refused(RefusalCode.TIER_NOT_FOUND)
    if general_admission:
        raise invalid(
            "input.selection.bestAvailable.tierId",
            "The places of this tier are not numbered: ask for them as general admission.",
        )


async def _house(tx: Transaction, event_id: UUID) -> SeatingIndex:
    document = await tx.value("SELECT document FROM plans WHERE event_id = $1", event_id)
    house = await asyncio.to_thread(lambda: SeatingIndex.of(Layout.from_document(orjson.loads(document))))
    _remember(_houses, event_id, house, EVENTS_REMEMBERED_MAX)
    return house


def _remember(memory: OrderedDict[K, V], key: K, value: V, entries_max: int) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > entries_max:
        memory.popitem(last=False)
