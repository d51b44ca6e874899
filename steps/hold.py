"""The one statement that holds seats: for each wish all of its seats, or none of them."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.columns import new_reference
from models.layouts import SEATS_PER_EVENT_MAX
from models.orders import Order, order_of
from models.seats import is_free
from models.tickets import LIVE_TICKET
from models.transfers import DONE
from steps.idempotency import Key
from steps.locks import SEATS_BY_INDEX
from steps.outbox import log_of
from steps.refusals import InFlight, RefusalCode, Refused, seats_refused
from steps.sales import EVENT_FACTS, IS_ON_SALE, refuse_unless_on_sale
from steps.take_back_tickets import take_back_lapsed

# Each OFFSET 0 keeps the planner to the order in which this is written, from the buyer to their seats. On
# tables that were empty when it planned it would begin with all that was ever sold, and look for a ticket by
# its event alone, in the index of those that are live.
SEATS_OF_BUYER = f"""SELECT
    (SELECT count(*)::int
    FROM (SELECT id FROM orders WHERE event_id = $1 AND buyer_id = w.buyer_id
            AND status IN ('PENDING', 'CONFIRMED') OFFSET 0) o
    CROSS JOIN LATERAL (SELECT index FROM order_items WHERE event_id = $1 AND order_id = o.id OFFSET 0) i
    CROSS JOIN LATERAL (SELECT 1 FROM seats WHERE event_id = $1 AND index = i.index
            AND order_id = o.id AND NOT {is_free("seats")} OFFSET 0) s)
    + (SELECT count(DISTINCT k.id)::int
    FROM (SELECT ticket_id FROM transfers WHERE event_id = $1 AND buyer_id = w.buyer_id AND {DONE} OFFSET 0) t
    CROSS JOIN LATERAL (SELECT * FROM tickets WHERE event_id = $1 AND id = t.ticket_id OFFSET 0) k
    CROSS JOIN LATERAL (SELECT * FROM orders WHERE event_id = $1 AND id = k.order_id OFFSET 0) o
    WHERE k.owner_id = w.buyer_id AND k.{LIVE_TICKET} AND o.buyer_id <> w.buyer_id)"""
"""How many seats the buyer of the wish `w` has at event $1: those ordered, and those got from others."""

HOLD = f"""
    WITH event AS ({EVENT_FACTS}
    ), wishes AS (
        SELECT w.*, ({SEATS_OF_BUYER}) AS theirs
        FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::int[]) AS w (order_id, buyer_id, reference, seats)
    ), wished AS (
        SELECT * FROM unnest($7::uuid[], $2::int[]) AS i (order_id, index)
    ), found AS MATERIALIZED ({SEATS_BY_INDEX}
    ), free AS MATERIALIZED (
        SELECT i.order_id, f.index, f.tier, f.status, t.price_minor FROM found f
        JOIN wished i ON i.index = f.index
        JOIN tiers t ON t.event_id = $1 AND t.number = f.tier
        WHERE {is_free("f")}
    ), made AS (
        INSERT INTO orders (event_id, id, reference, buyer_id, status, held_until, total_minor, currency)
        SELECT $1, w.order_id, w.reference, w.buyer_id, 'PENDING',
            statement_timestamp() + make_interval(secs => $8), sum(f.price_minor), e.currency
        FROM event e, wishes w JOIN free f ON f.order_id = w.order_id
        WHERE {IS_ON_SALE} AND w.theirs + w.seats <= $9
        GROUP BY w.order_id, w.reference, w.buyer_id, w.seats, e.currency HAVING count(*) = w.seats
        RETURNING *
    ), taken AS (
        UPDATE seats s SET status = 'H', version = s.version + 1, held_until = m.held_until, order_id = m.id
        FROM made m JOIN free f ON f.order_id = m.id
        WHERE s.event_id = $1 AND s.index = ANY($2::int[]) AND s.index = f.index
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("taken")}
    ), listed AS (
        INSERT INTO order_items (event_id, order_id, index, tier, price_minor)
        SELECT $1, m.id, f.index, f.tier, f.price_minor FROM made m JOIN free f ON f.order_id = m.id
    )
    SELECT {", ".join(f"m.{column}" for column in Order.model_fields)},
        w.theirs, e.status AS event_status, e.total_seats, e.is_over, e.in_sales_time,
        CASE WHEN m.id IS NULL THEN ARRAY(SELECT index FROM found) END AS found,
        CASE WHEN m.id IS NULL THEN ARRAY(SELECT index FROM free) END AS free,
        CASE WHEN m.id IS NULL THEN ARRAY(SELECT index FROM found WHERE status IN ('S', 'C')) END AS sold,
        (SELECT count(*) FROM taken) AS taken, (SELECT bool_or(status = 'H') FROM free) AS some_lapsed
    FROM wishes w LEFT JOIN event e ON true LEFT JOIN made m ON m.id = w.order_id
    ORDER BY array_position($3, w.order_id)"""
"""$1 event, $2 indexes; for each wish $3 new order, $4 buyer, $5 reference, $6 number of seats; for each
index $7 the new order that wishes for it; $8 seconds to hold, $9 seats a buyer may have."""


@dataclass(frozen=True)
class Limits:
    """How much one buyer may hold, and for how long."""

    hold_seconds: int
    seats_per_order_max: int
    seats_per_buyer_max: int

    def without_buyers(self) -> "Limits":
        """The limits of a counter, where a buyer may have as many seats as there are."""
        return replace(self, seats_per_buyer_max=SEATS_PER_EVENT_MAX)


@dataclass(frozen=True)
class Wish:
    """Seats that a buyer wants under a new order's id; `indexes` are sorted, and none is there twice."""

    buyer_id: UUID
    order_id: UUID
    indexes: tuple[int, ...]
    key: Key | None = None

    @cached_property
    def needs(self) -> frozenset[Hashable]:
        """What no other wish served at the same time may share."""
        return frozenset([self.buyer_id, *self.indexes])


async def hold(
    tx: Transaction, event_id: UUID, wishes: Sequence[Wish], limits: Limits
) -> list[Order | Refused]:
    """Hold for each wish all of its seats, or none; answer each with its order, or with why not.

    The wishes share no seat and no buyer, and their buyers are locked. Nobody waits for a seat: one that
    somebody else has in hand now is `InFlight`.
    """
    indexes = [index for wish in wishes for index in wish.indexes]
    assert len(set(indexes)) == len(indexes), "no seat is wished for twice"
    rows = await tx.rows(
        HOLD,
        event_id,
        indexes,
        [wish.order_id for wish in wishes],
        [wish.buyer_id for wish in wishes],
        [new_reference() for _ in wishes],
        [len(wish.indexes) for wish in wishes],
        [wish.order_id for wish in wishes for _ in wish.indexes],
        limits.hold_seconds,
        limits.seats_per_buyer_max,
    )
    served = [wish for wish, row in zip(wishes, rows, strict=True) if row["id"]]
    taken = [index for wish in served for index in wish.indexes]
    assert rows[0]["taken"] == len(taken), "what is locked and free is taken, to the last seat"
    if taken:
        tx.changed_events.add(event_id)
        tx.seats_held += len(taken)
        if rows[0]["some_lapsed"]:
            await take_back_lapsed(tx, event_id, taken, [wish.order_id for wish in served])
    return [
        order_of(row) if row["id"] else why_not_held(row, event_id, set(wish.indexes))
        for wish, row in zip(wishes, rows, strict=True)
    ]


def why_not_held(row: Record, event_id: UUID, wished: set[int]) -> Refused:
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
