"""What happened to a person's money, as that person sees it: a view over the books."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import SQLModel


class TransactionStatus(StrEnum):
    """How far a transaction has come."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    REFUNDED = "REFUNDED"


TRANSACTIONS_NOW = """(
    SELECT m.user_id, m.id, m.kind,
        CASE WHEN m.kind = 'PURCHASE' AND m.amount_minor <= (
            SELECT sum(b.amount_minor) FROM movements b
            WHERE b.kind = 'REFUND' AND b.user_id = m.user_id AND b.reference = m.reference
        ) THEN 'REFUNDED' ELSE 'SUCCESS' END AS status,
        CASE m.credit WHEN 'CREDITS' THEN m.amount_minor ELSE -m.amount_minor END AS amount_minor,
        m.currency, m.event_id, m.reference,
        CASE WHEN m.kind = 'REFUND' THEN (
            SELECT p.id FROM movements p
            WHERE p.kind = 'PURCHASE' AND p.user_id = m.user_id AND p.reference = m.reference
        ) END AS refund_of,
        CASE WHEN m.kind IN ('PURCHASE', 'REFUND') THEN 'CREDITS' END AS method,
        m.reason, m.created_at, m.created_at AS updated_at, m.created_at AS counted_at
    FROM movements m WHERE m.kind <> 'TOP_UP' AND 'CREDITS' IN (m.debit, m.credit)
        AND (m.kind, m.credit) <> ('REFUND', 'ESCROW')
    UNION ALL
    SELECT p.user_id, p.id, CASE WHEN p.order_id IS NULL THEN 'TOP_UP' ELSE 'PURCHASE' END,
        CASE WHEN p.refunded_minor = p.amount_minor THEN 'REFUNDED' ELSE p.status END,
        CASE WHEN p.order_id IS NULL THEN p.amount_minor ELSE -p.amount_minor END, p.currency,
        p.event_id, p.order_id, NULL::uuid, 'CARD',
        p.reason, p.created_at, p.updated_at, coalesce(p.settled_at, p.created_at)
    FROM payments p
    UNION ALL
    SELECT r.user_id, r.id, 'REFUND', r.status,
        CASE WHEN p.order_id IS NULL THEN -r.amount_minor ELSE r.amount_minor END, r.currency,
        p.event_id, p.order_id, p.id, 'CARD', r.reason, r.created_at, r.updated_at,
        CASE WHEN p.order_id IS NULL THEN r.created_at ELSE coalesce(r.settled_at, r.created_at) END
    FROM refunds r JOIN payments p ON p.user_id = r.user_id AND p.id = r.payment_id)"""
"""Transactions as they read at this moment: each payment and refund by card, and each movement of credits
but those that belong to one.

A purchase is REFUNDED once all of it is on its way back. To pay a top-up back takes the credits at once.
"""


class Transaction(SQLModel):
    """A movement or a payment from its person's side: positive is what came, in minor units.

    `event_id` and `reference` are those of an order, `counted_at` is when it changed the balance.
    """

    user_id: UUID
    id: UUID
    kind: str
    status: str
    amount_minor: int
    currency: str
    event_id: UUID | None
    reference: UUID | None
    refund_of: UUID | None
    method: str | None
    reason: str | None
    created_at: datetime
    updated_at: datetime
    counted_at: datetime
