"""The one way back of what was paid: tickets dead, seats free, and the money where it belongs."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.announcements import AnnouncementKind
from models.columns import new_id
from models.ledger import AccountKind, MovementKind
from models.notifications import NotificationKind
from models.orders import Order, order_of
from models.tickets import LIVE
from models.transfers import DONE
from steps.announce import announce_tickets
from steps.ledger import move, refund_credits
from steps.notify import Notice, notify
from steps.outbox import log_of
from steps.person_locks import lock_payment
from steps.refunds import open_refund

DISPUTED = """
    SELECT ticket_id FROM transfers
    WHERE event_id = $1 AND ticket_id = ANY($2::uuid[]) AND status = 'DISPUTED'"""

IN_ANOTHER_CURRENCY = f"""
    SELECT EXISTS (SELECT FROM transfers
        WHERE event_id = $1 AND ticket_id = ANY($2::uuid[]) AND currency <> $3 AND {DONE})"""
"""Say whether $2 were given on in another currency than $3, that of their order, and so as gifts."""

REFUND = f"""
    WITH returned AS (
        UPDATE tickets SET status = 'REFUNDED', version = version + 1, ended_at = statement_timestamp()
        WHERE event_id = $1 AND id = ANY($3::uuid[]) RETURNING index
    ), freed AS (
        UPDATE seats s SET status = 'A', version = s.version + 1, order_id = NULL
        WHERE s.event_id = $1 AND s.index = ANY($4::int[]) AND s.order_id = $2
        RETURNING s.event_id, s.index, s.version, s.status
    ), logged AS ({log_of("freed")})
    UPDATE orders o SET updated_at = statement_timestamp(),
        status = CASE WHEN $5 THEN 'REFUNDED' ELSE o.status END,
        refunded_minor = least(o.total_minor, o.refunded_minor + (
            SELECT sum(i.price_minor) FROM order_items i JOIN returned r ON r.index = i.index
            WHERE i.event_id = $1 AND i.order_id = $2))
    WHERE o.event_id = $1 AND o.id = $2
    RETURNING o.*, (SELECT count(*) FROM freed) AS seats_freed"""
"""$1 event, $2 order, $3 its tickets to be paid back, $4 their seats, $5 whether no live ones stay."""


async def pay_back_tickets(
    tx: Transaction,
    order: Order,
    tickets: Sequence[Record],
    returned: Sequence[Record],
    *,
    actor_id: UUID,
    kind: NotificationKind,
) -> Order:
    """Pay some of an order's tickets back, of which all are under lock, as is the order.

    To its buyer goes what they paid, to where it came from; to whoever else owns a ticket now, its price as
    credits, since the house knows of no other way to them. What a card paid in another currency than that of
    credits goes back to it, since such a ticket was a gift. What a counter took is handed out there. Never
    more than was paid goes back, and what an ADMIN paid back before is taken off the buyer's part first. The
    order is REFUNDED once no live ticket of it is left. Whoever had a ticket or gets money is notified,
    of this `kind`.
    """
    owed_minor: dict[UUID, int] = {}
    paid_back, live = order, sum(ticket["status"] in LIVE for ticket in tickets)
    of_tickets = [ticket["id"] for ticket in returned]
    are_gifts = await tx.value(IN_ANOTHER_CURRENCY, order.event_id, of_tickets, order.currency)
    for payee_id, theirs in _by_payee(order, returned, are_gifts=are_gifts):
        live -= len(theirs)
        row = await tx.row(
            REFUND,
            *(order.event_id, order.id),
            [ticket["id"] for ticket in theirs],
            [ticket["index"] for ticket in theirs],
            live == 0,
        )
        assert row is not None, "what is locked is there"
        assert row["seats_freed"] == len(theirs), "the seat of a live ticket names its order"
        owed_minor[payee_id] = row["refunded_minor"] - paid_back.refunded_minor
        paid_back = order_of(row)
    tx.changed_events.add(order.event_id)
    await announce_tickets(tx, AnnouncementKind.TICKET_REFUNDED, order.event_id, of_tickets)
    refunds = {
        payee_id: new_id() for payee_id in sorted(owed_minor) if not order.cashier_id and owed_minor[payee_id]
    }
    for payee_id, id in refunds.items():
        await _pay(tx, order, payee_id, owed_minor[payee_id], actor_id, id)
    ticket_id = of_tickets[0] if kind is NotificationKind.TICKET_REFUNDED else None
    about = (kind, order.event_id, order.id, ticket_id, None)
    people = {*owed_minor, *(ticket["owner_id"] for ticket in returned)}
    await notify(tx, *(Notice(person, *about, refunds.get(person)) for person in people))
    return paid_back


async def disputed_among(tx: Transaction, event_id: UUID, tickets: Sequence[Record]) -> set[UUID]:
    """Which of these tickets, all under lock, came to their owner by a transfer that is disputed."""
    rows = await tx.rows(DISPUTED, event_id, [ticket["id"] for ticket in tickets])
    return {row["ticket_id"] for row in rows}


async def pay_back(
    tx: Transaction,
    order: Order,
    amount_minor: int,
    *,
    actor_id: UUID,
    reason: str | None = None,
    id: UUID | None = None,
) -> None:
    """Move an amount from the event's revenue to where it came from: the buyer's credits, or their card."""
    about: dict[str, Any] = {"actor_id": actor_id, "reason": reason, "id": id}
    if order.payment_id is None:
        await refund_credits(tx, order, amount_minor, **about)
        return
    payment = await lock_payment(tx, order.buyer_id, order.payment_id)
    assert payment is not None, "payments are never deleted"
    await open_refund(tx, payment, amount_minor, came_from=AccountKind.REVENUE, **about)


def _by_payee(order: Order, tickets: Sequence[Record], *, are_gifts: bool) -> list[tuple[UUID, list[Record]]]:
    """The tickets that each is paid for; the buyer, who has had what was paid back before, is the last."""
    found: dict[UUID, list[Record]] = defaultdict(list)
    for ticket in tickets:
        found[order.buyer_id if are_gifts else ticket["owner_id"]].append(ticket)
    return sorted(found.items(), key=lambda theirs: (theirs[0] == order.buyer_id, theirs[0]))


async def _pay(
    tx: Transaction, order: Order, payee_id: UUID, amount_minor: int, actor_id: UUID, id: UUID
) -> None:
    if payee_id == order.buyer_id:
        await pay_back(tx, order, amount_minor, actor_id=actor_id, id=id)
        return
    await move(
        tx,
        id=id,
        user_id=payee_id,
        amount_minor=amount_minor,
        currency=order.currency,
        other=AccountKind.REVENUE,
        kind=MovementKind.REFUND,
        event_id=order.event_id,
        reference=order.id,
        actor_id=actor_id,
    )
