"""Buy credits: the payment is opened here, begun at the provider in between, and noted as begun here."""

from uuid import UUID

from database import Transaction
from models.columns import new_id, plain_row
from models.money import to_major
from models.payments import Payment, PaymentStatus, ProviderName
from models.transactions import Transaction as Entry
from payments.provider import News
from steps.idempotency import Key, claim
from steps.person_locks import lock_payment
from steps.refusals import Inputs, RefusalCode, Refused
from steps.replay import transaction_now

ASK_MINUTES = 10

OPEN = f"""
    INSERT INTO payments (user_id, id, provider, amount_minor, currency, ask_at)
    VALUES ($1, $2, $3, $4, $5, statement_timestamp() + interval '{ASK_MINUTES} minutes')"""
NOTE = """
    UPDATE payments SET provider_reference = $3, updated_at = statement_timestamp()
    WHERE user_id = $1 AND id = $2 AND provider_reference IS NULL"""


async def open_top_up(
    tx: Transaction,
    *,
    user_id: UUID,
    amount_minor: int,
    currency: str,
    bounds_minor: tuple[int, int],
    provider: ProviderName,
    key: Key | None = None,
) -> Payment:
    """Write down that somebody is about to pay: from then on nothing that they pay can be lost.

    Refuses an amount that is out of bounds. Under a `key` that was used before it answers with what that
    opened.
    """
    inputs, (least, most) = Inputs(), (to_major(minor, currency) for minor in bounds_minor)
    inputs.check(
        bounds_minor[0] <= amount_minor <= bounds_minor[1],
        "input.amount",
        f"A top-up is from {least:,} to {most:,} {currency}.",
    )
    inputs.refuse_if_wrong()
    id = new_id()
    opened_before = await claim(tx, key, made=id)
    if opened_before is None:
        await tx.rows(OPEN, user_id, id, provider, amount_minor, currency)
    row = await lock_payment(tx, user_id, opened_before or id)
    assert row is not None, "payments are never deleted"
    return plain_row(Payment, row)


async def note_top_up(tx: Transaction, *, news: News) -> Entry:
    """Note the provider's name for a payment, before anybody gets what it is paid with.

    Refuses one that the house has given up meanwhile, since nobody would look after it (PAYMENT_FAILED).
    """
    await note_begun(tx, news)
    return await transaction_now(tx, news.user_id, news.payment_id)


async def note_begun(tx: Transaction, news: News) -> None:
    """Note the provider's name for any payment, or refuse one that the house has settled without it."""
    row = await lock_payment(tx, news.user_id, news.payment_id)
    assert row is not None, "it was opened before it was begun"
    if row["provider_reference"] is None and row["status"] != PaymentStatus.PENDING:
        raise Refused(RefusalCode.PAYMENT_FAILED)
    await tx.rows(NOTE, news.user_id, news.payment_id, news.reference)
