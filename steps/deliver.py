"""What leaves the house: written with the change it tells of, sent after it at least once, then erased."""

from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from database import Transaction
from messages.envelopes import Envelopes
from messages.message import Address, Message, Text
from models.columns import new_id
from models.deliveries import DeliveryState
from steps.person_locks import DUE_DELIVERIES, OVERDUE_DELIVERIES

LEASE_SECONDS = 60
"""Whoever takes a delivery in hand has so long to send and settle it, before another tries."""

POST = """
    INSERT INTO deliveries (user_id, id, kind, recipient, sealed, expires_at)
    VALUES ($1, $2, $3, $4, $5, statement_timestamp() + make_interval(secs => $6))"""

CLAIM = f"""
    WITH due AS MATERIALIZED ({DUE_DELIVERIES})
    UPDATE deliveries d SET attempts = d.attempts + 1,
        next_attempt_at = statement_timestamp() + interval '{LEASE_SECONDS} seconds'
    FROM due WHERE d.user_id = due.user_id AND d.id = due.id
    RETURNING d.*"""

GIVE_UP_OVERDUE = f"""
    WITH overdue AS MATERIALIZED ({OVERDUE_DELIVERIES})
    UPDATE deliveries d SET state = 'DEAD', sealed = NULL, next_attempt_at = statement_timestamp()
    FROM overdue o WHERE d.user_id = o.user_id AND d.id = o.id"""

SETTLE = """
    UPDATE deliveries SET state = $3, sealed = NULL, next_attempt_at = statement_timestamp()
    WHERE user_id = $1 AND id = $2 AND state = 'PENDING'"""

PUT_OFF = """
    UPDATE deliveries SET next_attempt_at = statement_timestamp() + make_interval(secs => $4)
    WHERE user_id = $1 AND id = $2 AND attempts = $3 AND state = 'PENDING'"""

FORGET = """
    WITH old AS (
        SELECT user_id, id FROM deliveries
        WHERE state <> 'PENDING' AND next_attempt_at < statement_timestamp() - interval '1 day'
        ORDER BY next_attempt_at LIMIT $1
    ), gone AS (
        DELETE FROM deliveries d USING old WHERE d.user_id = old.user_id AND d.id = old.id RETURNING 1
    )
    SELECT count(*) FROM gone"""


async def post(
    tx: Transaction,
    envelopes: Envelopes,
    user_id: UUID,
    to: Address,
    text: Text,
    *,
    expires_in_seconds: int | None = None,
) -> UUID:
    """Let a message to a person leave once this transaction is committed; return the delivery's id."""
    message = Message(new_id(), to, text)
    sealed = envelopes.close(user_id, message)
    await tx.rows(POST, user_id, message.id, to.kind.value, to.at, sealed, expires_in_seconds)
    return message.id


async def claim_deliveries(tx: Transaction, *, deliveries_max: int) -> Sequence[Record]:
    """Take deliveries in hand that are due, at most so many; those that are past their time are given up."""
    await tx.rows(GIVE_UP_OVERDUE, deliveries_max)
    return await tx.rows(CLAIM, deliveries_max)


async def settle_delivery(
    tx: Transaction, *, user_id: UUID, delivery_id: UUID, state: DeliveryState = DeliveryState.SENT
) -> None:
    """Say that a delivery was sent, or that it never will be, and erase what it said."""
    await tx.rows(SETTLE, user_id, delivery_id, state.value)


async def put_off_delivery(
    tx: Transaction, *, user_id: UUID, delivery_id: UUID, attempts: int, seconds: float
) -> None:
    """Let a delivery be tried again after some seconds, unless somebody else has taken it in hand since."""
    await tx.rows(PUT_OFF, user_id, delivery_id, attempts, seconds)


async def forget_deliveries(tx: Transaction, *, deliveries_max: int) -> int:
    """Delete deliveries that were settled more than a day ago, at most so many; return how many."""
    deleted: int = await tx.value(FORGET, deliveries_max)
    return deleted
