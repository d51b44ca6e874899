"""Settle a payment: what the provider says of it, or an ADMIN, becomes the state of our books, once."""

import logging
from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.ledger import AccountKind, MovementKind
from models.payments import PaymentStatus, ProviderName
from models.transactions import Transaction as Entry
from models.transactions import TransactionStatus
from payments.provider import News, Said
from steps.idempotency import Key, claim
from steps.ledger import move
from steps.person_locks import PAYMENTS_TO_ASK, lock_payment
from steps.refusals import Inputs, RefusalCode, Refused
from steps.replay import transaction_now
from steps.top_up import ASK_MINUTES

log = logging.getLogger("rowlock.settle")

REASON_CHARACTERS_MAX = 500
GIVE_UP_HOURS = 24
OTHER_AMOUNT = "The provider has received another amount."

PAID = """
    UPDATE payments SET status = 'SUCCESS', provider_reference = coalesce(provider_reference, $3),
        reason = $4, actor_id = $5, settled_at = statement_timestamp(),
        updated_at = statement_timestamp(), ask_at = NULL
    WHERE user_id = $1 AND id = $2"""
NOT_PAID = """
    UPDATE payments SET status = $3, provider_reference = coalesce(provider_reference, $4), reason = $5,
        actor_id = $6, updated_at = statement_timestamp(), ask_at = CASE WHEN $7 THEN NULL ELSE ask_at END
    WHERE user_id = $1 AND id = $2"""
TO_ASK = f"""
    WITH due AS MATERIALIZED ({PAYMENTS_TO_ASK})
    UPDATE payments p SET ask_at = statement_timestamp() + interval '{ASK_MINUTES} minutes'
    FROM due WHERE p.user_id = due.user_id AND p.id = due.id
    RETURNING p.user_id, p.id, p.provider_reference,
        p.created_at <= statement_timestamp() - interval '{GIVE_UP_HOURS} hours' AS is_old"""
ABANDON = """
    UPDATE payments SET status = 'FAILED', ask_at = NULL, updated_at = statement_timestamp(),
        reason = 'It was never begun.'
    WHERE user_id = $1 AND id = $2 AND provider_reference IS NULL AND status = 'PENDING'"""


async def settle_payment(tx: Transaction, *, provider: ProviderName, news: News) -> bool:
    """Take what the provider says of a payment into the books; say whether it credited anything.

    The same news again changes nothing, and news may come in any order: that it was paid is the last word.
    Another amount than was asked for is credited to nobody; an ADMIN has to look at it.
    """
    row = await lock_payment(tx, news.user_id, news.payment_id)
    if row is None or row["provider"] != provider or row["provider_reference"] not in {None, news.reference}:
        log.warning("the provider speaks of %s, which is none of our payments", news.reference)
        return False
    if row["status"] == PaymentStatus.SUCCESS or news.said is Said.WAITING:
        return False
    name = (news.user_id, news.payment_id)
    if news.said is not Said.SUCCEEDED:
        is_over = news.said is Said.CANCELLED
        failed = (PaymentStatus.FAILED, news.reference, news.reason, None, is_over)
        await tx.rows(NOT_PAID, *name, *failed)
        return False
    if (news.amount_minor, news.currency) != (row["amount_minor"], row["currency"]):
        log.error("payment %s: %s", news.payment_id, OTHER_AMOUNT)
        await tx.rows(NOT_PAID, *name, PaymentStatus.PENDING, news.reference, OTHER_AMOUNT, None, True)
        return False
    await _credit(tx, row, reference=news.reference)
    return True


async def settle_by_hand(
    tx: Transaction,
    *,
    actor_id: UUID,
    user_id: UUID,
    id: UUID,
    status: TransactionStatus,
    reason: str,
    key: Key | None = None,
) -> Entry:
    """Say of a PENDING payment that it was paid, which credits it, or that it failed, and why.

    Refuses any other state (TRANSACTION_INVALID_STATE). Whatever the provider says later still holds: what
    it says was paid is credited, but never twice.
    """
    inputs = Inputs()
    decided = status in {TransactionStatus.SUCCESS, TransactionStatus.FAILED}
    inputs.check(decided, "input.status", "A transaction is settled as SUCCESS or as FAILED.")
    inputs.check_text(reason, "input.reason", "reason", REASON_CHARACTERS_MAX)
    inputs.refuse_if_wrong()
    settled_before = await claim(tx, key, made=id) is not None
    row = await lock_payment(tx, user_id, id)
    if row is None:
        moved = await tx.value("SELECT 1 FROM movements WHERE user_id = $1 AND id = $2", user_id, id)
        raise Refused(RefusalCode.TRANSACTION_INVALID_STATE if moved else RefusalCode.TRANSACTION_NOT_FOUND)
    if settled_before:
        return await transaction_now(tx, user_id, id)
    if row["status"] != PaymentStatus.PENDING:
        raise Refused(RefusalCode.TRANSACTION_INVALID_STATE)
    if status is TransactionStatus.SUCCESS:
        await _credit(tx, row, reason=reason.strip(), actor_id=actor_id)
    else:
        await tx.rows(NOT_PAID, user_id, id, PaymentStatus.FAILED, None, reason.strip(), actor_id, False)
    return await transaction_now(tx, user_id, id)


async def claim_payments(tx: Transaction, *, provider: ProviderName, payments_max: int) -> Sequence[Record]:
    """Take in hand payments that the provider should be asked about; another round has them in 10 minutes."""
    return await tx.rows(TO_ASK, provider, payments_max)


async def abandon_payment(tx: Transaction, *, user_id: UUID, payment_id: UUID) -> None:
    """Give up a payment that nobody can have paid: the provider's name for it was never noted."""
    await tx.rows(ABANDON, user_id, payment_id)


async def _credit(
    tx: Transaction,
    row: Record,
    *,
    reference: str | None = None,
    reason: str | None = None,
    actor_id: UUID | None = None,
) -> None:
    await tx.rows(PAID, row["user_id"], row["id"], reference, reason, actor_id)
    await move(
        tx,
        id=row["id"],
        user_id=row["user_id"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        other=AccountKind.PROVIDER,
        kind=MovementKind.TOP_UP,
        reference=row["id"],
        actor_id=actor_id,
        reason=reason,
    )
