"""What a buyer says to hold, pay and give back."""

from enum import Enum
from uuid import UUID

import strawberry

from schema import ids
from schema.errors import wrong_argument
from schema.inputs import by_plan
from steps.choose import BestAvailable as Best
from steps.choose import GeneralAdmission
from steps.refusals import RefusalCode, Refused
from steps.reserve import ChosenSeats, Selection

KEY = "Up to 255 characters of your choice: a repeat of this very request has no second effect, for 24 hours."


@strawberry.input(description="So many places of a general-admission tier.")
class TierQuantity:
    tier_id: strawberry.ID = strawberry.field(description="The tier.")
    quantity: int = strawberry.field(description="How many places.")


@strawberry.input(description="The best seats there are together.")
class BestAvailable:
    quantity: int = strawberry.field(description="How many seats.")
    tier_id: strawberry.ID | None = strawberry.field(default=None, description="Of this tier; null: of any.")


@by_plan
@strawberry.input(one_of=True, description="Which seats: exactly one way to say it.")
class SeatSelection:
    seat_ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(description="These seats.")
    seat_indexes: strawberry.Maybe[list[int]] = strawberry.field(
        description="These seats, by their index in the plan and the map."
    )
    general_admission: strawberry.Maybe[list[TierQuantity]] = strawberry.field(
        description="So many places of these tiers."
    )
    best_available: strawberry.Maybe[BestAvailable] = strawberry.field(
        description="Adjacent in one row and nearest to the front and centre, or else as near as can be."
    )

    def read(self, event_id: UUID) -> Selection:
        """Turn global ids into what the step takes; a thing of another event is refused."""
        if self.seat_ids:
            return ChosenSeats(_indexes(self.seat_ids.value, event_id))
        if self.seat_indexes:
            return ChosenSeats(_known(self.seat_indexes.value))
        if self.general_admission:
            return GeneralAdmission(
                tuple((_tier(t.tier_id, event_id), t.quantity) for t in self.general_admission.value)
            )
        if self.best_available:
            best = self.best_available.value
            return Best(best.quantity, None if best.tier_id is None else _tier(best.tier_id, event_id))
        raise wrong_argument("Say which seats, in exactly one of the ways that a selection has.")


def _indexes(seat_ids: list[strawberry.ID], event_id: UUID) -> tuple[int, ...]:
    seats = [ids.read_seat(id) for id in seat_ids]
    strangers = [seat for seat in seats if seat[0] != event_id]
    if strangers:
        raise Refused(RefusalCode.SEAT_NOT_FOUND, seats=tuple(strangers))
    return tuple(index for _, index in seats)


def _known(indexes: list[int]) -> tuple[int, ...]:
    if min(indexes, default=0) < 0:  # there is no id to name such a seat by
        raise Refused(RefusalCode.SEAT_NOT_FOUND)
    return tuple(indexes)


def _tier(tier_id: str, event_id: UUID) -> int:
    of_event, number = ids.read_tier(tier_id)
    if of_event != event_id:
        raise Refused(RefusalCode.TIER_NOT_FOUND)
    return number


@by_plan
@strawberry.input(description="Seats to hold.")
class ReserveInput:
    event_id: strawberry.ID = strawberry.field(description="The event.")
    selection: SeatSelection = strawberry.field(description="Which seats.")
    buyer_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="For someone else, at a counter, without the buyer's limit: OPERATOR, ADMIN, SERVICE.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Seats to hold in an order beside those that it has.")
class AddOrderItemsInput:
    order_id: strawberry.ID = strawberry.field(description="The order.")
    selection: SeatSelection = strawberry.field(description="Which seats.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Seats of an order to give back.")
class RemoveOrderItemsInput:
    order_id: strawberry.ID = strawberry.field(description="The order.")
    seat_ids: list[strawberry.ID] = strawberry.field(description="Which of its seats; not all of them.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)

    def indexes(self, event_id: UUID) -> tuple[int, ...]:
        """The indexes of the seats; one of another event is refused."""
        return _indexes(self.seat_ids, event_id)


@strawberry.enum(description="How an order is paid.")
class PaymentMethod(Enum):
    CREDITS = strawberry.enum_value("CREDITS", description="With the credits on the buyer's account.")
    CARD = strawberry.enum_value("CARD", description="By card, through the payment provider: top-ups.")


@by_plan
@strawberry.input(description="An order to pay.")
class PayInput:
    order_id: strawberry.ID = strawberry.field(description="The order.")
    method: PaymentMethod = strawberry.field(default=PaymentMethod.CREDITS, description="How it is paid.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="An order, by its id.")
class OrderInput:
    order_id: strawberry.ID = strawberry.field(description="The order.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)
