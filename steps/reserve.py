"""Hold all of these seats for this buyer, or none of them."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from database import Transaction
from models.columns import new_id
from models.orders import Order
from steps.choose import BestAvailable, GeneralAdmission, best_seats, general_admission_places
from steps.hold import Limits, Wish, hold
from steps.idempotency import Key, claim
from steps.locks import lock_buyers
from steps.refusals import InFlight, RefusalCode, Refused, invalid
from steps.replay import order_now
from steps.sales import event_on_sale

BEST_AVAILABLE_ROUNDS_MAX = 8


@dataclass(frozen=True)
class ChosenSeats:
    """Exactly these seats, by their index in the event."""

    indexes: tuple[int, ...]


Selection = ChosenSeats | GeneralAdmission | BestAvailable


async def reserve_seats(
    tx: Transaction,
    *,
    buyer_id: UUID,
    event_id: UUID,
    selection: Selection,
    limits: Limits,
    key: Key | None = None,
) -> Order:
    """Hold all of these seats for this buyer, or none of them.

    Nobody waits for a seat: what somebody else has in hand now counts as taken, after one more try. The
    refusal names every seat in the way. Under a `key` that was used before it answers with the first order.
    """
    order_id = new_id()
    first = await claim(tx, key, made=order_id)
    if first is not None:
        return await order_now(tx, event_id, first)
    if (problem := wrong_number(selection, limits)) is not None:
        raise problem
    await lock_buyers(tx, event_id, [buyer_id])

    async def hold_new(indexes: tuple[int, ...]) -> Order | Refused:
        (answer,) = await hold(tx, event_id, [Wish(buyer_id, order_id, indexes)], limits)
        return answer

    return await Attempt(tx, event_id, hold_new).of(selection)


@dataclass(frozen=True)
class Attempt:
    """One attempt to `hold` seats of one event, given as sorted indexes of which none is there twice."""

    tx: Transaction
    event_id: UUID
    hold: Callable[[tuple[int, ...]], Awaitable[Order | Refused]]

    async def of(self, selection: Selection) -> Order:
        """Hold what is selected, or refuse; numbers of seats are turned into seats first."""
        match selection:
            case ChosenSeats(indexes):
                return await self._chosen(indexes)
            case GeneralAdmission():
                await event_on_sale(self.tx, self.event_id)
                places = await general_admission_places(self.tx, self.event_id, selection)
                return await self._chosen(places)
            case BestAvailable():
                await event_on_sale(self.tx, self.event_id)
                return await self._best(selection)

    async def _chosen(self, indexes: Iterable[int]) -> Order:
        """Hold exactly these seats, or refuse with every seat in the way."""
        answer = await self.hold(tuple(sorted(set(indexes))))
        if isinstance(answer, Refused):
            raise answer
        return answer

    async def _best(self, wish: BestAvailable) -> Order:
        """Hold the best seats there are; choose anew, without the lost ones, when others were faster."""
        lost: set[int] = set()
        for _ in range(BEST_AVAILABLE_ROUNDS_MAX):
            try:
                return await self._chosen(await best_seats(self.tx, self.event_id, wish, avoid=lost))
            except Refused as refusal:
                if not refusal.seats:
                    raise
                lost |= {index for _, index in refusal.seats}
        raise InFlight(RefusalCode.BUSY, retry_after_seconds=1)


def wrong_number(selection: Selection, limits: Limits, already: int = 0) -> Refused | None:
    """Say what is wrong with how many seats are wished for beside those of the order, if anything is."""
    match selection:
        case ChosenSeats(indexes):
            quantities = [len(set(indexes))]
        case GeneralAdmission(places):
            quantities = [quantity for _, quantity in places]
        case BestAvailable(quantity):
            quantities = [quantity]
    if not quantities or min(quantities) < 1:
        return invalid("input.selection", "Choose at least one seat.")
    if already + sum(quantities) > (most := limits.seats_per_order_max):
        return Refused(RefusalCode.TOO_MANY_SEATS, f"An order has at most {most} seats.")
    return None
