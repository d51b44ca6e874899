"""Every row lock that a step takes, in one order.

The order is: key, event, buyer, order, seats, tickets, transfers, accounts. The strings are sub-selects for a
step to compose into its statement. They lock FOR NO KEY UPDATE, because FOR UPDATE would block inserts that
only reference the row, and in the order of the key.

What is locked is about to change: the functions say so to those who watch an order or a transfer, once it is
committed; who composes a sub-select says it itself.
"""

from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.seats import is_free
from models.topics import order_topic, transfer_topic

SEATS_BY_INDEX = """
    SELECT index, tier, status, held_until FROM seats WHERE event_id = $1 AND index = ANY($2::int[])
    ORDER BY index FOR NO KEY UPDATE SKIP LOCKED"""
"""Chosen seats that nobody else has in hand now: $1 event, $2 indexes."""

FREE_PLACES = f"""
    SELECT index FROM seats
    WHERE event_id = $1 AND index >= $2 AND index < $3 AND {is_free("seats")}
    ORDER BY index LIMIT $4 FOR NO KEY UPDATE"""
"""General-admission places: $1 event, $2 first index, $3 index after the last, $4 how many.

Waits for rows in flight; with SKIP LOCKED after it, it does not.
"""

LOCK_BUYERS = """
    INSERT INTO buyers (event_id, user_id) SELECT $1, id FROM unnest($2::uuid[]) AS id ORDER BY id
    ON CONFLICT (event_id, user_id) DO UPDATE SET last_order_at = statement_timestamp()"""
"""Persons at an event, made if need be: $1 event, $2 users."""

ORDERS_AND_THEIR_SEATS = """
    WITH locked AS MATERIALIZED (
        SELECT *, xmin AS written_by FROM orders
        WHERE event_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE
    ), seats_of_them AS MATERIALIZED (
        SELECT s.order_id, s.index FROM locked o
        JOIN order_items i ON i.event_id = o.event_id AND i.order_id = o.id
        JOIN seats s ON s.event_id = i.event_id AND s.index = i.index
        WHERE s.event_id = $1 AND s.order_id = o.id
        ORDER BY s.index FOR NO KEY UPDATE OF s
    )
    SELECT o.*, ARRAY(SELECT index FROM seats_of_them s WHERE s.order_id = o.id ORDER BY index) AS indexes,
        (SELECT xmin FROM orders s WHERE s.event_id = $1 AND s.id = o.id) <> o.written_by AS was_changed
    FROM locked o"""
"""Orders, then the seats that name them: $1 event, $2 orders. May wait, so it decides nothing about time.

Of an order that somebody else changed during the wait it has the items of before; it says so.
"""

TICKET_AND_ITS_SEAT = """
    WITH seat AS MATERIALIZED (
        SELECT index, status FROM seats
        WHERE event_id = $1 AND index = (SELECT index FROM tickets WHERE event_id = $1 AND id = $2)
        FOR NO KEY UPDATE
    )
    SELECT *, (SELECT status FROM seat) AS seat_status FROM tickets
    WHERE event_id = $1 AND id = $2 AND index = (SELECT index FROM seat) FOR NO KEY UPDATE"""
"""The seat of a ticket, then the ticket: $1 event, $2 ticket. May wait; both are as they are after that."""

ACCOUNTS_OF = """
    SELECT a.user_id, a.currency FROM {} JOIN accounts a USING (user_id, currency)
    ORDER BY a.user_id, a.currency FOR NO KEY UPDATE OF a"""
"""The accounts that another part of the statement names by `user_id` and `currency`."""

LAPSED_TRANSFERS = """
    SELECT event_id, id FROM transfers
    WHERE status = 'PENDING_OTP' AND expires_at <= statement_timestamp()
    ORDER BY expires_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED"""
"""Transfers whose time is over, at most $1 of them, that nobody else has in hand now."""

CANCELLATION_DUE = """
    SELECT event_id FROM cancellations WHERE look_at <= statement_timestamp()
    ORDER BY look_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED"""
"""The cancelled event that has waited longest to be looked at, and that nobody else has in hand now."""

LAPSED_ORDERS = """
    SELECT event_id, id, payment_id FROM orders
    WHERE status = 'PENDING' AND held_until <= statement_timestamp()
    ORDER BY held_until LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED"""
"""Orders whose time is over, at most $1 of them, that nobody else has in hand now."""


async def lock_buyers(tx: Transaction, event_id: UUID, user_ids: Sequence[UUID]) -> None:
    """Lock these persons at this event, so that nobody else counts or adds to their seats."""
    await tx.rows(LOCK_BUYERS, event_id, user_ids)


async def lock_buyer(tx: Transaction, event_id: UUID, user_id: UUID) -> None:
    """Lock a person at an event who is known there, and change nothing."""
    await tx.rows(
        "SELECT 1 FROM buyers WHERE event_id = $1 AND user_id = $2 FOR NO KEY UPDATE", event_id, user_id
    )


async def lock_event(tx: Transaction, event_id: UUID) -> Record | None:
    """Lock an event against everybody else who would change it; None when there is none."""
    return await tx.row("SELECT * FROM events WHERE id = $1 FOR NO KEY UPDATE", event_id)


async def lock_order(tx: Transaction, event_id: UUID, order_id: UUID) -> Record | None:
    """Lock an order and the seats that name it; None when there is no such order."""
    found = await lock_orders(tx, event_id, [order_id])
    return found[0] if found else None


async def lock_orders(tx: Transaction, event_id: UUID, order_ids: Sequence[UUID]) -> Sequence[Record]:
    """Lock those of these orders that exist, and the seats that name them, by their `indexes`."""
    found = await tx.rows(ORDERS_AND_THEIR_SEATS, event_id, order_ids)
    if any(order["was_changed"] for order in found):
        found = await tx.rows(ORDERS_AND_THEIR_SEATS, event_id, order_ids)
    tx.touched.update(order_topic(event_id, order["id"]) for order in found)
    return found


async def lock_seats_of_order(tx: Transaction, event_id: UUID, order_id: UUID) -> None:
    """Lock every seat of an order under lock, also one that names another by now; it is waited for."""
    await tx.value(
        """SELECT count(*) FROM (
             SELECT 1 FROM order_items i JOIN seats s ON s.event_id = i.event_id AND s.index = i.index
             WHERE i.event_id = $1 AND i.order_id = $2 ORDER BY s.index FOR NO KEY UPDATE OF s) AS locked""",
        event_id,
        order_id,
    )


async def lock_tickets_of_order(tx: Transaction, event_id: UUID, order_id: UUID) -> Sequence[Record]:
    """Lock every ticket that was bought in an order, whoever owns it now."""
    return await tx.rows(
        "SELECT * FROM tickets WHERE event_id = $1 AND order_id = $2 ORDER BY id FOR NO KEY UPDATE",
        event_id,
        order_id,
    )


async def lock_ticket(tx: Transaction, event_id: UUID, ticket_id: UUID) -> Record | None:
    """Lock a ticket and its seat, whose status comes with it; None when there is no such ticket."""
    return _touched(tx, await tx.row(TICKET_AND_ITS_SEAT, event_id, ticket_id))


async def lock_seat(tx: Transaction, event_id: UUID, index: int) -> bool:
    """Lock a seat, waiting for who has it in hand; False when there is none."""
    found = await tx.row(
        "SELECT 1 FROM seats WHERE event_id = $1 AND index = $2 FOR NO KEY UPDATE", event_id, index
    )
    return found is not None


async def lock_ticket_alone(tx: Transaction, event_id: UUID, ticket_id: UUID) -> Record | None:
    """Lock a ticket, but not its seat; None when there is no such ticket, or no more."""
    ticket = await tx.row(
        "SELECT * FROM tickets WHERE event_id = $1 AND id = $2 FOR NO KEY UPDATE", event_id, ticket_id
    )
    return _touched(tx, ticket)


def _touched(tx: Transaction, ticket: Record | None) -> Record | None:
    if ticket is not None:
        tx.touched.add(order_topic(ticket["event_id"], ticket["order_id"]))
    return ticket


async def lock_transfer(tx: Transaction, event_id: UUID, transfer_id: UUID) -> None:
    """Lock a transfer; what it is by then, only the next statement sees."""
    await tx.row(
        "SELECT 1 FROM transfers WHERE event_id = $1 AND id = $2 FOR NO KEY UPDATE", event_id, transfer_id
    )
    tx.touched.add(transfer_topic(event_id, transfer_id))


async def lock_accounts(tx: Transaction, user_ids: Sequence[UUID], currency: str) -> dict[UUID, int]:
    """Lock the accounts of these people in a currency; return the balances of those who have one."""
    found = await tx.rows(
        """SELECT user_id, balance_minor FROM accounts WHERE user_id = ANY($1::uuid[]) AND currency = $2
           ORDER BY user_id FOR NO KEY UPDATE""",
        user_ids,
        currency,
    )
    return {row["user_id"]: row["balance_minor"] for row in found}


async def lock_all_seats(tx: Transaction, event_id: UUID) -> None:
    """Lock every seat of an event, for the rare step that lays them out anew."""
    await tx.value(
        """SELECT count(*) FROM (
             SELECT 1 FROM seats WHERE event_id = $1 ORDER BY index FOR NO KEY UPDATE) AS locked""",
        event_id,
    )
