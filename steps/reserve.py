"""Hold all of these seats for this buyer, or none of them."""

from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.columns import new_id, new_reference
from models.orders import Order, order_of
from models.seats import is_free
from steps.choose import BestAvailable, GeneralAdmission, best_seats, general_admission_places
from steps.idempotency import Key, claim
from steps.locks import SEATS_BY_INDEX, lock_buyer
from steps.outbox import log_of
from steps.refusals import InFlight, RefusalCode, Refused, invalid, seats_refused
from steps.replay import order_now
from steps.sales import EVENT_FACTS, IS_ON_SALE, event_on_sale, refuse_unless_on_sale

BEST_AVAILABLE_ROUNDS_MAX = 8

HOLD = f"""
    WITH event AS ({EVENT_FACTS}
    ), theirs AS (
        SELECT count(*)::int AS seats FROM orders o
        JOIN order_items i ON i.event_id = o.event_id AND i.order_id = o.id
        JOIN seats s ON s.event_id = i.event_id AND s.index = i.index
        WHERE o.event_id = $1 AND o.buyer_id = $3 AND o.status IN ('PENDING', 'CONFIRMED')
            AND s.order_id = o.id AND NOT {is_free("s")}
    ), found AS MATERIALIZED ({SEATS_BY_INDEX}
    ), free AS MATERIALIZED (
        SELECT f.index, f.tier, t.price_minor FROM found f
        JOIN tiers t ON t.event_id = $1 AND t.number = f.tier
        WHERE {is_free("f")}
    ), made AS (
        INSERT INTO orders (event_id, id, reference, buyer_id, status, held_until, total_minor, currency)
        SELECT $1, $4, $5, $3, 'PENDING', statement_timestamp() + make_interval(secs => $6),
            sum(f.price_minor), e.currency
        FROM event e, theirs, free f
        WHERE {IS_ON_SALE} AND theirs.seats + cardinality($2::int[]) <= $7
        GROUP BY e.currency HAVING count(*) = cardinality($2::int[])
        RETURNING *
    ), taken AS (
        UPDATE seats s SET status = 'H', version = s.version + 1, held_until = m.held_until, order_id = m.id
        FROM made m, free f WHERE s.event_id = $1 AND s.index = f.index
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("taken")}
    ), listed AS (
        INSERT INTO order_items (event_id, order_id, index, tier, price_minor)
        SELECT $1, m.id, f.index, f.tier, f.price_minor FROM made m, free f
    )
    SELECT {", ".join(f"m.{column}" for column in Order.model_fields)},
        e.status AS event_status, e.total_seats, e.is_over, e.in_sales_time, theirs.seats AS theirs,
        ARRAY(SELECT index FROM found) AS found, ARRAY(SELECT index FROM free) AS free,
        ARRAY(SELECT index FROM found WHERE status IN ('S', 'C')) AS sold,
        (SELECT count(*) FROM taken) AS taken
    FROM theirs LEFT JOIN event e ON true LEFT JOIN made m ON true"""
"""$1 event, $2 indexes, $3 buyer, $4 new order, $5 its reference, $6 seconds to hold, $7 seats a buyer."""


@dataclass(frozen=True)
class Limits:
    """How much one buyer may hold, and for how long."""

    hold_seconds: int
    seats_per_order_max: int
    seats_per_buyer_max: int


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
    _refuse_wrong_number(selection, limits)
    await lock_buyer(tx, event_id, buyer_id)
    hold = Hold(tx, event_id, buyer_id, order_id, limits)
    match selection:
        case ChosenSeats(indexes):
            return await hold.chosen(sorted(set(indexes)))
        case GeneralAdmission():
            await event_on_sale(tx, event_id)
            return await hold.chosen(await general_admission_places(tx, event_id, selection))
        case BestAvailable():
            await event_on_sale(tx, event_id)
            return await hold.best(selection)


@dataclass(frozen=True)
class Hold:
    """One attempt of one buyer to hold seats of one event."""

    tx: Transaction
    event_id: UUID
    buyer_id: UUID
    order_id: UUID
    limits: Limits

    async def chosen(self, indexes: list[int]) -> Order:
        """Hold exactly these seats, or refuse with every seat in the way."""
        row = await self._attempt(indexes)
        if row["id"] is None:
            raise _refusal(row, self.event_id, set(indexes))
        return order_of(row)

    async def best(self, wish: BestAvailable) -> Order:
        """Hold the best seats there are; choose anew, without the lost ones, when others were faster."""
        lost: set[int] = set()
        for _ in range(BEST_AVAILABLE_ROUNDS_MAX):
            indexes = await best_seats(self.tx, self.event_id, wish, avoid=lost)
            row = await self._attempt(indexes)
            if row["id"] is not None:
                return order_of(row)
            in_the_way = set(indexes) - set(row["free"])
            if not in_the_way:
                raise _refusal(row, self.event_id, set(indexes))
            lost |= in_the_way
        raise InFlight(RefusalCode.BUSY, retry_after_seconds=1)

    async def _attempt(self, indexes: list[int]) -> Record:
        row = await self.tx.row(
            HOLD,
            self.event_id,
            indexes,
            self.buyer_id,
            self.order_id,
            new_reference(),
            self.limits.hold_seconds,
            self.limits.seats_per_buyer_max,
        )
        assert row is not None
        if row["id"] is not None:
            assert row["taken"] == len(indexes), "what is locked and free is taken, to the last seat"
            self.tx.changed_events.add(self.event_id)
        return row


def _refuse_wrong_number(selection: Selection, limits: Limits) -> None:
    match selection:
        case ChosenSeats(indexes):
            quantities = [len(set(indexes))]
        case GeneralAdmission(places):
            quantities = [quantity for _, quantity in places]
        case BestAvailable(quantity):
            quantities = [quantity]
    if not quantities or min(quantities) < 1:
        raise invalid("input.selection", "Choose at least one seat.")
    if sum(quantities) > limits.seats_per_order_max:
        raise Refused(RefusalCode.TOO_MANY_SEATS, f"An order has at most {limits.seats_per_order_max} seats.")


def _refusal(row: Record, event_id: UUID, wished: set[int]) -> Refused:
    """Say why nothing was held: the event, an unknown seat, the buyer's limit, or the seats in the way."""
    if row["event_status"] is None:
        return Refused(RefusalCode.EVENT_NOT_FOUND)
    try:
        refuse_unless_on_sale({**row, "status": row["event_status"]})
    except Refused as refusal:
        return refusal
    unknown = {index for index in wished if not 0 <= index < row["total_seats"]}
    if unknown:
        return seats_refused(RefusalCode.SEAT_NOT_FOUND, event_id, unknown)
    in_the_way = wished - set(row["free"])
    if not in_the_way:
        return Refused(
            RefusalCode.TOO_MANY_SEATS,
            f"With these seats you would have more than one buyer may have at this event; "
            f"you have {row['theirs']}.",
        )
    if in_the_way.isdisjoint(row["found"]):
        return InFlight(**vars(seats_refused(RefusalCode.SEAT_UNAVAILABLE, event_id, in_the_way)))
    all_sold = in_the_way <= set(row["sold"])
    code = RefusalCode.SEAT_ALREADY_SOLD if all_sold else RefusalCode.SEAT_UNAVAILABLE
    return seats_refused(code, event_id, in_the_way)
