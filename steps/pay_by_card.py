"""Pay an order by card: a payment is opened here, begun at the provider in between, and noted here."""

from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.columns import new_id, new_reference, plain_row
from models.orders import Order
from models.payments import Payment, ProviderName
from payments.provider import News
from steps.idempotency import Key, claim
from steps.ledger import needs_code
from steps.locks import lock_order
from steps.outbox import log_of
from steps.pay import not_pending
from steps.pending import HELD
from steps.person_locks import lock_payment
from steps.refusals import RefusalCode, Refused, seats_refused
from steps.replay import order_now
from steps.sales import EVENT_FACTS, refuse_if_over
from steps.top_up import note_begun

ASK_ORDER_MINUTES = 2

OPEN = f"""
    WITH event AS ({EVENT_FACTS}
    ), wanted AS (
        SELECT * FROM unnest($5::int[], $6::uuid[], $7::text[]) AS w (index, ticket_id, reference)
    ), listed AS MATERIALIZED (
        SELECT index, price_minor FROM order_items WHERE event_id = $1 AND order_id = $2
    ), held AS MATERIALIZED ({HELD.format("$2")}
    ), opened AS (
        UPDATE orders o SET payment_id = $3, updated_at = statement_timestamp(),
            held_until = greatest(o.held_until, o.created_at + make_interval(secs => $4))
        FROM event e, held h
        WHERE o.event_id = $1 AND o.id = $2 AND h.in_time AND e.status = 'PUBLISHED' AND NOT e.is_over
            AND (SELECT count(*) FROM listed) = cardinality($5::int[])
        RETURNING o.*
    ), kept AS (
        UPDATE seats s SET held_until = o.held_until, version = s.version + 1 FROM opened o
        WHERE s.event_id = $1 AND s.index = ANY($5::int[]) AND s.order_id = o.id
            AND s.held_until < o.held_until
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("kept")}
    ), issued AS (
        INSERT INTO tickets
            (event_id, id, reference, order_id, index, owner_id, status, price_minor, currency)
        SELECT $1, w.ticket_id, w.reference, o.id, w.index, o.buyer_id, 'PENDING', l.price_minor, o.currency
        FROM opened o, wanted w JOIN listed l USING (index)
    )
    SELECT o.held_until, e.status, e.is_over, NOT h.in_time AS lapsed,
        ARRAY(SELECT index FROM listed) AS listed
    FROM held h LEFT JOIN event e ON true LEFT JOIN opened o ON true"""
"""$1 event, $2 order under lock, $3 a payment's id, $4 seconds in all that it may be held; for each seat
under lock $5 its index, and for its ticket $6 an id and $7 a reference."""

ADD = f"""
    INSERT INTO payments
        (user_id, id, provider, amount_minor, currency, event_id, order_id, held_until, ask_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, statement_timestamp() + interval '{ASK_ORDER_MINUTES} minutes')"""
REOPEN = f"""
    UPDATE payments SET status = 'PENDING', reason = NULL, held_until = $3,
        updated_at = statement_timestamp(),
        ask_at = statement_timestamp() + interval '{ASK_ORDER_MINUTES} minutes'
    WHERE user_id = $1 AND id = $2"""
LAST = """
    SELECT id FROM payments WHERE user_id = $1 AND event_id = $2 AND order_id = $3
    ORDER BY created_at DESC, id DESC LIMIT 1"""
MAY_BE_TRIED_AGAIN = """
    SELECT id FROM payments
    WHERE user_id = $1 AND event_id = $2 AND order_id = $3 AND amount_minor = $4 AND provider = $5
        AND status = 'FAILED' AND ask_at IS NOT NULL
    ORDER BY id LIMIT 1"""
"""A payment of which a card was declined, and which the provider has not ended."""


@dataclass(frozen=True)
class CardTerms:
    """With whom, and for how long in all, an order is held while its buyer pays by card."""

    provider: ProviderName
    hold_seconds: int


async def open_card_payment(
    tx: Transaction,
    *,
    buyer_id: UUID,
    event_id: UUID,
    order_id: UUID,
    terms: CardTerms,
    key: Key | None = None,
) -> Payment:
    """Write down that a buyer is about to pay an order by card, and hold it longer, with PENDING tickets.

    The hold is extended once, since it ends so long after the order was made. While such a payment is open,
    the same one is answered. Refuses as paying with credits does; what costs nothing is not paid by card.
    Under a `key` that was used before it answers with the order's last payment.
    """
    opened_before = await claim(tx, key, made=order_id) is not None
    order = await lock_order(tx, event_id, order_id)
    if order is None or order["buyer_id"] != buyer_id:
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    if opened_before:
        return await _payment(tx, buyer_id, await tx.value(LAST, buyer_id, event_id, order_id))
    if (problem := not_pending((await order_now(tx, event_id, order_id)).status)) is not None:
        raise problem
    if order["payment_id"] is not None:
        return await _payment(tx, buyer_id, order["payment_id"])
    if not order["total_minor"]:
        raise Refused(RefusalCode.PAYMENT_METHOD_NOT_ALLOWED, "It costs nothing: pay it with CREDITS.")
    if await needs_code(tx, buyer_id, order_id):
        raise Refused(RefusalCode.OTP_REQUIRED)
    return await _open(tx, order, terms)


async def _open(tx: Transaction, order: Record, terms: CardTerms) -> Payment:
    name = (order["buyer_id"], order["event_id"], order["id"])
    declined = await tx.value(MAY_BE_TRIED_AGAIN, *name, order["total_minor"], terms.provider)
    id: UUID = declined or new_id()
    tickets = [(index, new_id(), new_reference()) for index in order["indexes"]]
    columns = zip(*tickets, strict=True) if tickets else ([], [], [])
    opened = await tx.row(OPEN, order["event_id"], order["id"], id, terms.hold_seconds, *columns)
    assert opened is not None, "what is locked is there"
    if opened["held_until"] is None:
        raise _refusal(order, opened)
    tx.changed_events.add(order["event_id"])
    if declined:
        await tx.rows(REOPEN, order["buyer_id"], id, opened["held_until"])
    else:
        price = (order["total_minor"], order["currency"])
        about = (order["event_id"], order["id"], opened["held_until"])
        await tx.rows(ADD, order["buyer_id"], id, terms.provider, *price, *about)
    return await _payment(tx, order["buyer_id"], id)


async def note_card_payment(tx: Transaction, *, news: News, event_id: UUID, order_id: UUID) -> Order:
    """Note the provider's name for a payment, before anybody gets what it is paid with.

    Refuses one that the house has given up meanwhile, since nobody would look after it (PAYMENT_FAILED).
    """
    await note_begun(tx, news)
    return await order_now(tx, event_id, order_id)


async def _payment(tx: Transaction, user_id: UUID, id: UUID) -> Payment:
    row = await lock_payment(tx, user_id, id)
    assert row is not None, "payments are never deleted"
    return plain_row(Payment, row)


def _refusal(order: Record, row: Record) -> Refused:
    """Say why an order cannot be paid now: its event, its time, or a seat that it lost."""
    try:
        refuse_if_over(row)
    except Refused as refusal:
        return refusal
    if row["lapsed"]:
        return Refused(RefusalCode.HOLD_EXPIRED)
    lost = set(row["listed"]) - set(order["indexes"])
    return seats_refused(RefusalCode.SEAT_NOT_HELD, order["event_id"], lost)
