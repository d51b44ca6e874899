"""Hold seats for many buyers at once, as each of them would be served alone."""

from collections.abc import Sequence
from uuid import UUID

from database import Database, Transaction
from models.columns import new_id
from models.orders import Order
from steps.hold import Limits, Wish, hold
from steps.idempotency import Key
from steps.locks import lock_buyers
from steps.refusals import Refused
from steps.reserve import ChosenSeats, Selection, reserve_seats, wrong_number
from steps.reserve_for import reserve_for_other
from steps.together import LeftOut, Together, claim_keys
from steps.transact import transact


class Reservations:
    """Where seats are reserved: wishes for chosen seats that arrive together share a transaction."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self.limits = limits
        self._together = Together(database, self._hold_all, "reservations")

    async def reserve(
        self, *, buyer_id: UUID, event_id: UUID, selection: Selection, key: Key | None
    ) -> Order:
        """Hold all of these seats, or none, and promise what `reserve_seats` promises."""
        if isinstance(selection, ChosenSeats) and wrong_number(selection, self.limits) is None:
            indexes = tuple(sorted(set(selection.indexes)))
            order = await self._together.ask(event_id, Wish(buyer_id, new_id(), indexes, key))
            if order is not None:
                return order
        return await transact(
            self._database,
            reserve_seats,
            buyer_id=buyer_id,
            event_id=event_id,
            selection=selection,
            limits=self.limits,
            key=key,
        )

    async def reserve_for(
        self, *, buyer_id: UUID, event_id: UUID, selection: Selection, key: Key | None
    ) -> Order:
        """Hold seats for somebody who stands at a counter, and promise what `reserve_for_other` promises."""
        return await transact(
            self._database,
            reserve_for_other,
            buyer_id=buyer_id,
            event_id=event_id,
            selection=selection,
            limits=self.limits,
            key=key,
        )

    async def _hold_all(self, tx: Transaction, event_id: UUID, wishes: Sequence[Wish]) -> list[Order]:
        await claim_keys(tx, wishes)
        await lock_buyers(tx, event_id, [wish.buyer_id for wish in wishes])
        answers = await hold(tx, event_id, wishes, self.limits)
        refused = {
            wish.order_id: answer
            for wish, answer in zip(wishes, answers, strict=True)
            if isinstance(answer, Refused)
        }
        if refused:
            raise LeftOut(refused)
        return [answer for answer in answers if not isinstance(answer, Refused)]
