"""What leaves the house: written with the change it tells of, sent after it at least once, then erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from database import Transaction
from messages.envelopes import Envelopes
from messages.message import Answer, Draft, Message
from models.deliveries import TO_SYSTEMS, DeliveryState
from steps.person_locks import DUE_DELIVERIES, OVERDUE_DELIVERIES

LEASE_SECONDS = 60
"""Whoever takes a delivery in hand has so long to send and settle it, before another tries."""

SENT_DAYS = 7
DEAD_DAYS = 30
"""How long it is on record that something was sent, or was given up."""

POST = """
    INSERT INTO deliveries (owner_id, id, kind, recipient, sealed, expires_at)
    VALUES ($1, $2, $3, $4, $5, statement_timestamp() + make_interval(secs => $6))"""

CLAIM = f"""
    WITH due AS MATERIALIZED ({DUE_DELIVERIES})
    UPDATE deliveries d SET attempts = d.attempts + 1,
        next_attempt_at = statement_timestamp() + interval '{LEASE_SECONDS} seconds'
    FROM due WHERE d.owner_id = due.owner_id AND d.id = due.id
    RETURNING d.*"""

GIVE_UP_OVERDUE = f"""
    WITH overdue AS MATERIALIZED ({OVERDUE_DELIVERIES})
    UPDATE deliveries d SET state = 'DEAD', sealed = NULL, next_attempt_at = statement_timestamp()
    FROM overdue o WHERE d.owner_id = o.owner_id AND d.id = o.id"""

SETTLE = """
    UPDATE deliveries d SET state = t.state, answer_status = t.status, answer = t.answer,
        next_attempt_at = statement_timestamp() + make_interval(secs => t.pause_seconds),
        sealed = CASE WHEN t.state = 'PENDING' OR (t.state = 'DEAD' AND d.expires_at IS NULL)
            THEN d.sealed END
    FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::float8[], $6::int[], $7::text[])
        AS t (owner_id, id, attempts, state, pause_seconds, status, answer)
    WHERE d.owner_id = t.owner_id AND d.id = t.id AND d.state = 'PENDING'
        AND (t.state = 'SENT' OR d.attempts = t.attempts)"""

FAILING = """
    UPDATE webhook_endpoints SET failing_since = CASE WHEN id = ANY($2::uuid[]) THEN statement_timestamp() END
    WHERE id = ANY($1::uuid[]) AND (failing_since IS NULL) = (id = ANY($2::uuid[]))"""
"""$1 the endpoints that were tried, $2 those of them where nothing went well."""

FORGET = f"""
    WITH old AS (
        SELECT owner_id, id FROM deliveries WHERE state = 'SENT'
            AND next_attempt_at < statement_timestamp() - interval '{SENT_DAYS} days'
        UNION ALL
        SELECT owner_id, id FROM deliveries WHERE state = 'DEAD'
            AND next_attempt_at < statement_timestamp() - interval '{DEAD_DAYS} days'
        LIMIT $1
    ), gone AS (
        DELETE FROM deliveries d USING old WHERE d.owner_id = old.owner_id AND d.id = old.id RETURNING 1
    )
    SELECT count(*) FROM gone"""


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: a delivery that stays PENDING is tried again after the pause."""

    row: Record
    state: DeliveryState
    answer: Answer | None = None
    why: str | None = None
    pause_seconds: float = 0


async def post(
    tx: Transaction,
    envelopes: Envelopes,
    user_id: UUID,
    message: Message | Draft,
    *,
    expires_in_seconds: int | None = None,
) -> UUID:
    """Let a message to a person leave once this transaction is committed; return the delivery's id."""
    sealed, to = envelopes.close(user_id, message), message.to
    await tx.rows(POST, user_id, message.id, to.kind.value, to.at, sealed, expires_in_seconds)
    return message.id


async def claim_deliveries(
    tx: Transaction, *, deliveries_max: int, lane_max: int, rooms: Mapping[str, int]
) -> Sequence[Record]:
    """Take deliveries in hand that are due; those that are past their time are given up.

    At most so many, and of a lane at most `lane_max`, or as many as there is room for.
    """
    await tx.rows(GIVE_UP_OVERDUE, deliveries_max)
    return await tx.rows(CLAIM, deliveries_max, lane_max, list(rooms), list(rooms.values()))


async def settle_deliveries(tx: Transaction, *, outcomes: Sequence[Outcome]) -> None:
    """Note how attempts ended; what was sent is erased.

    Of a delivery that somebody else has taken in hand since, or settled, only that it was sent counts.
    """
    columns = zip(
        *(
            (
                outcome.row["owner_id"],
                outcome.row["id"],
                outcome.row["attempts"],
                outcome.state.value,
                outcome.pause_seconds,
                outcome.answer.status if outcome.answer else None,
                outcome.answer.excerpt if outcome.answer else outcome.why,
            )
            for outcome in sorted(outcomes, key=lambda o: (o.row["owner_id"], o.row["id"]))
        ),
        strict=True,
    )
    await tx.rows(SETTLE, *columns)
    to_systems = [outcome for outcome in outcomes if outcome.row["kind"] in TO_SYSTEMS]
    if to_systems:
        tried = {outcome.row["owner_id"] for outcome in to_systems}
        well = {o.row["owner_id"] for o in to_systems if o.state is DeliveryState.SENT}
        await tx.rows(FAILING, sorted(tried), sorted(tried - well))


async def forget_deliveries(tx: Transaction, *, deliveries_max: int) -> int:
    """Delete deliveries that were sent or given up long ago, at most so many; return how many."""
    deleted: int = await tx.value(FORGET, deliveries_max)
    return deleted
