"""Money back to a card: written down here, sent by a job that finds it, and settled here."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.columns import new_id, plain_row
from models.ledger import AccountKind, MovementKind
from models.payments import ProviderName, Refund, RefundStatus
from payments.provider import RefundNews, Said
from steps.ledger import book, move
from steps.person_locks import REFUNDS_TO_SEND, lock_refund

log = logging.getLogger("rowlock.refunds")

ASK_MINUTES = 10

COUNT = """
    UPDATE payments SET refunded_minor = refunded_minor + $3, updated_at = statement_timestamp()
    WHERE user_id = $1 AND id = $2"""
OPEN = """
    INSERT INTO refunds (user_id, id, payment_id, amount_minor, currency, reason, actor_id, ask_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, statement_timestamp())"""
TO_SEND = f"""
    WITH due AS MATERIALIZED ({REFUNDS_TO_SEND})
    UPDATE refunds r SET ask_at = statement_timestamp() + interval '{ASK_MINUTES} minutes'
    FROM due WHERE r.user_id = due.user_id AND r.id = due.id
    RETURNING r.*, due.paid_by"""
SENT = """
    UPDATE refunds SET status = 'SUCCESS', provider_reference = coalesce(provider_reference, $3),
        reason = coalesce($4, reason), actor_id = coalesce($5, actor_id), ask_at = NULL,
        settled_at = statement_timestamp(), updated_at = statement_timestamp()
    WHERE user_id = $1 AND id = $2"""
NOTE = """
    UPDATE refunds SET provider_reference = $3, updated_at = statement_timestamp(),
        ask_at = CASE WHEN $4 THEN NULL ELSE ask_at END
    WHERE user_id = $1 AND id = $2"""


async def open_refund(
    tx: Transaction,
    payment: Record,
    amount_minor: int,
    *,
    came_from: AccountKind,
    actor_id: UUID | None = None,
    reason: str | None = None,
    id: UUID | None = None,
) -> None:
    """Write down that a part of a payment under lock goes back to its card: from then on it is owed.

    It leaves the account where the payment went, for ESCROW. Refuses credits that were spent meanwhile.
    The database lets no more go back than was paid.
    """
    user_id, id = payment["user_id"], id or new_id()
    await tx.rows(COUNT, user_id, payment["id"], amount_minor)
    await tx.rows(OPEN, user_id, id, payment["id"], amount_minor, payment["currency"], reason, actor_id)
    about: dict[str, Any] = {
        "id": new_id(),
        "user_id": user_id,
        "currency": payment["currency"],
        "kind": MovementKind.REFUND,
    }
    about |= {"actor_id": actor_id, "reason": reason}
    if came_from is AccountKind.CREDITS:
        taken: dict[str, Any] = {
            "amount_minor": -amount_minor,
            "other": AccountKind.ESCROW,
            "reference": payment["id"],
        }
        await move(tx, **about, **taken)
    elif came_from is AccountKind.REVENUE:
        sold: dict[str, Any] = {"event_id": payment["event_id"], "reference": payment["order_id"]}
        way: dict[str, Any] = {
            "debit": AccountKind.REVENUE,
            "credit": AccountKind.ESCROW,
            "amount_minor": amount_minor,
        }
        await book(tx, **about, **way, **sold)


async def claim_refunds(tx: Transaction, *, provider: ProviderName, refunds_max: int) -> Sequence[Record]:
    """Take in hand refunds that the provider should hear of; another round has them in 10 minutes."""
    return await tx.rows(TO_SEND, provider, refunds_max)


async def settle_refund(tx: Transaction, *, user_id: UUID, refund_id: UUID, news: RefundNews) -> bool:
    """Take what the provider says of a refund into the books; say whether the money has left, just now.

    One that the provider cannot make stays PENDING and is not sent again: an ADMIN settles it by hand.
    """
    row = await lock_refund(tx, user_id, refund_id)
    assert row is not None, "refunds are never deleted"
    if row["status"] != RefundStatus.PENDING:
        if news.said is Said.SUCCEEDED and row["provider_reference"] is None:
            log.error("refund %s was paid by the provider too, although it was settled by hand", refund_id)
        return False
    if news.said not in {Said.SUCCEEDED, Said.WAITING}:
        log.error("refund %s cannot be made by the provider: somebody has to pay it", refund_id)
    if news.said is not Said.SUCCEEDED:
        await tx.rows(NOTE, user_id, refund_id, news.reference, news.said is not Said.WAITING)
        return False
    await finish_refund(tx, row, reference=news.reference)
    return True


async def finish_refund(
    tx: Transaction,
    row: Record,
    *,
    reference: str | None = None,
    reason: str | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Book a refund under lock as paid: the movement has its id, so that it leaves once."""
    await tx.rows(SENT, row["user_id"], row["id"], reference, reason, actor_id)
    await book(
        tx,
        id=row["id"],
        user_id=row["user_id"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        debit=AccountKind.ESCROW,
        credit=AccountKind.PROVIDER,
        kind=MovementKind.REFUND,
        reference=row["payment_id"],
        actor_id=actor_id,
        reason=reason,
    )


def refund_of(row: Record) -> Refund:
    """The refund of a row that has more columns."""
    return plain_row(Refund, {column: row[column] for column in Refund.model_fields})
