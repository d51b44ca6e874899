"""Settle a payment: what the provider says of it, or an ADMIN, becomes the state of our books, once."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record

from database import Transaction
from messages.envelopes import Envelopes
from messages.message import Draft
from models.layouts import SEATS_PER_EVENT_MAX
from models.ledger import AccountKind, MovementKind
from models.notifications import NotificationKind
from models.payments import PaymentStatus, ProviderName
from models.transactions import Transaction as Entry
from models.transactions import TransactionStatus
from payments.provider import News, Said
from steps.deliver import post
from steps.idempotency import Key, claim
from steps.ledger import book, move
from steps.notify import Notice, notify
from steps.pay_by_card import ASK_ORDER_MINUTES
from steps.person_locks import PAYMENTS_TO_ASK, lock_refund
from steps.place import lock_payment_and_order, place_order, take_back
from steps.refunds import finish_refund, open_refund
from steps.refusals import Inputs, RefusalCode, Refused
from steps.replay import transaction_now
from steps.top_up import ASK_MINUTES

log = logging.getLogger("rowlock.settle")

REASON_CHARACTERS_MAX = 500
GIVE_UP_HOURS = 24
OTHER_AMOUNT = "The provider has received another amount."
CAME_TOO_LATE = "The money came when the order could not be kept any more: all of it goes back to the card."
REFUND_IS_OWED = "What goes back to a card is owed: it can only be settled as SUCCESS."

FIND = "SELECT provider, provider_reference, status FROM payments WHERE user_id = $1 AND id = $2"

PAID = """
    UPDATE payments SET status = 'SUCCESS', provider_reference = coalesce(provider_reference, $3),
        reason = $4, actor_id = $5, settled_at = statement_timestamp(),
        updated_at = statement_timestamp(), ask_at = CASE WHEN $5::uuid IS NOT NULL
            AND provider_reference IS NOT NULL THEN statement_timestamp() END
    WHERE user_id = $1 AND id = $2"""
"""What was settled by hand is cancelled at the provider, so that nobody pays it there once more."""
CANCELLED_TOO = """
    UPDATE payments SET ask_at = NULL
    WHERE user_id = $1 AND id = $2 AND status = 'SUCCESS' AND provider_reference = $3 AND ask_at IS NOT NULL
    RETURNING 1"""
NOT_PAID = """
    UPDATE payments SET status = $3, provider_reference = coalesce(provider_reference, $4), reason = $5,
        actor_id = $6, updated_at = statement_timestamp(), ask_at = CASE WHEN $7 THEN NULL ELSE ask_at END
    WHERE user_id = $1 AND id = $2"""
TO_ASK = f"""
    WITH due AS MATERIALIZED ({PAYMENTS_TO_ASK})
    UPDATE payments p SET ask_at = statement_timestamp() + CASE WHEN p.order_id IS NULL
        THEN interval '{ASK_MINUTES} minutes' ELSE interval '{ASK_ORDER_MINUTES} minutes' END
    FROM due WHERE p.user_id = due.user_id AND p.id = due.id
    RETURNING p.user_id, p.id, p.provider_reference,
        p.status = 'SUCCESS' OR
        coalesce(p.held_until, p.created_at + interval '{GIVE_UP_HOURS} hours') <= statement_timestamp()
            AS is_old"""
ABANDON = """
    UPDATE payments SET status = 'FAILED', ask_at = NULL, updated_at = statement_timestamp(),
        reason = 'It was never begun.'
    WHERE user_id = $1 AND id = $2 AND provider_reference IS NULL AND status = 'PENDING' RETURNING id"""


async def settle_payment(
    tx: Transaction,
    *,
    provider: ProviderName,
    news: News,
    seats_per_buyer_max: int = SEATS_PER_EVENT_MAX,
    envelopes: Envelopes | None = None,
) -> bool:
    """Take what the provider says of a payment into the books; say whether money came by it.

    A top-up is credited. An order is sold to its buyer; if that cannot be any more, the money goes back, and
    with `envelopes` the buyer is told so. The same news again changes nothing, and news may come in any
    order: that it was paid is the last word. Another amount than was asked for counts for nobody; an ADMIN
    has to look at it.
    """
    name = (news.user_id, news.payment_id)
    if not _is_news(await tx.row(FIND, *name), provider, news):
        over = news.said is not Said.WAITING and await tx.row(CANCELLED_TOO, *name, news.reference)
        if over and news.said is Said.SUCCEEDED:
            log.warning("payment %s was settled by hand, and paid at the provider", news.payment_id)
        return False
    row = await lock_payment_and_order(tx, *name)
    if row is None or not _is_news(row, provider, news):
        return False
    if news.said is not Said.SUCCEEDED:
        is_over = news.said is Said.CANCELLED
        await _fail(tx, row, reference=news.reference, reason=news.reason, is_over=is_over)
        return False
    if (news.amount_minor, news.currency) != (row["amount_minor"], row["currency"]):
        log.error("payment %s: %s", news.payment_id, OTHER_AMOUNT)
        await tx.rows(NOT_PAID, *name, PaymentStatus.PENDING, news.reference, OTHER_AMOUNT, None, True)
        return False
    await _receive(tx, row, seats_per_buyer_max, envelopes, reference=news.reference)
    return True


def _is_news(row: Record | None, provider: ProviderName, news: News) -> bool:
    if row is None or row["provider"] != provider or row["provider_reference"] not in {None, news.reference}:
        log.warning("the provider speaks of %s, which is none of our payments", news.reference)
        return False
    return row["status"] != PaymentStatus.SUCCESS and news.said is not Said.WAITING


async def settle_by_hand(
    tx: Transaction,
    *,
    actor_id: UUID,
    user_id: UUID,
    id: UUID,
    status: TransactionStatus,
    reason: str,
    seats_per_buyer_max: int = SEATS_PER_EVENT_MAX,
    envelopes: Envelopes | None = None,
    key: Key | None = None,
) -> Entry:
    """Say of a PENDING payment that it was paid, which has its effect, or that it failed, and why.

    Of a PENDING refund only that it was paid, as by a bank's transfer, since it is owed. Refuses any other
    state (TRANSACTION_INVALID_STATE). Whatever the provider says later still holds: what it says was paid
    counts, but never twice. What was paid in another way is cancelled there.
    """
    inputs = Inputs()
    decided = status in {TransactionStatus.SUCCESS, TransactionStatus.FAILED}
    inputs.check(decided, "input.status", "A transaction is settled as SUCCESS or as FAILED.")
    inputs.check_text(reason, "input.reason", "reason", REASON_CHARACTERS_MAX)
    inputs.refuse_if_wrong()
    settled_before = await claim(tx, key, made=id) is not None
    row = await lock_payment_and_order(tx, user_id, id) or await lock_refund(tx, user_id, id)
    if row is None:
        moved = await tx.value("SELECT 1 FROM movements WHERE user_id = $1 AND id = $2", user_id, id)
        raise Refused(RefusalCode.TRANSACTION_INVALID_STATE if moved else RefusalCode.TRANSACTION_NOT_FOUND)
    if settled_before:
        return await transaction_now(tx, user_id, id)
    if row["status"] != PaymentStatus.PENDING:
        raise Refused(RefusalCode.TRANSACTION_INVALID_STATE)
    said: dict[str, Any] = {"reason": reason.strip(), "actor_id": actor_id}
    if "payment_id" in row.keys():  # noqa: SIM118  (a record looks for values)
        if status is TransactionStatus.FAILED:
            raise Refused(RefusalCode.TRANSACTION_INVALID_STATE, REFUND_IS_OWED)
        await finish_refund(tx, row, **said)
    elif status is TransactionStatus.SUCCESS:
        await _receive(tx, row, seats_per_buyer_max, envelopes, **said)
    else:
        await _fail(tx, row, **said)
    return await transaction_now(tx, user_id, id)


async def claim_payments(tx: Transaction, *, provider: ProviderName, payments_max: int) -> Sequence[Record]:
    """Take in hand payments that the provider should be asked about; another round has them in 10 minutes."""
    return await tx.rows(TO_ASK, provider, payments_max)


async def abandon_payment(tx: Transaction, *, user_id: UUID, payment_id: UUID) -> None:
    """Give up a payment that nobody can have paid: the provider's name for it was never noted."""
    row = await lock_payment_and_order(tx, user_id, payment_id)
    if row and await tx.row(ABANDON, user_id, payment_id) and row["order_id"] is not None:
        await take_back(tx, row)


async def _fail(
    tx: Transaction,
    row: Record,
    *,
    reference: str | None = None,
    reason: str | None = None,
    actor_id: UUID | None = None,
    is_over: bool = False,
) -> None:
    failed = (PaymentStatus.FAILED, reference, reason, actor_id, is_over)
    await tx.rows(NOT_PAID, row["user_id"], row["id"], *failed)
    if row["order_id"] is not None:
        await take_back(tx, row)


async def _receive(
    tx: Transaction,
    row: Record,
    seats_per_buyer_max: int,
    envelopes: Envelopes | None,
    *,
    reference: str | None = None,
    reason: str | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Book the money that came where it belongs: credits, the event's revenue, or on its way back."""
    await tx.rows(PAID, row["user_id"], row["id"], reference, reason, actor_id)
    came: dict[str, Any] = {name: row[name] for name in ("id", "user_id", "amount_minor", "currency")}
    came |= {"actor_id": actor_id, "reason": reason}
    if row["order_id"] is None:
        top_up = {"other": AccountKind.PROVIDER, "kind": MovementKind.TOP_UP, "reference": row["id"]}
        await move(tx, **came, **top_up)
        await _notify(tx, NotificationKind.TOP_UP_SUCCEEDED, row)
        return
    came |= {"debit": AccountKind.PROVIDER, "kind": MovementKind.PURCHASE}
    if await place_order(tx, row, seats_per_buyer_max=seats_per_buyer_max):
        sold = {"event_id": row["event_id"], "reference": row["order_id"]}
        await book(tx, **came, credit=AccountKind.REVENUE, **sold)
        await _notify(tx, NotificationKind.ORDER_CONFIRMED, row)
        return
    await take_back(tx, row)
    await book(tx, **came, credit=AccountKind.ESCROW, reference=row["id"])
    await open_refund(tx, row, row["amount_minor"], came_from=AccountKind.ESCROW, reason=CAME_TOO_LATE)
    await _notify(tx, NotificationKind.ORDER_REFUNDED, row, is_told=envelopes is not None)
    if envelopes:
        await _tell_that_it_goes_back(tx, envelopes, row)


async def _notify(tx: Transaction, kind: NotificationKind, payment: Record, *, is_told: bool = False) -> None:
    about = {name: payment[name] for name in ("user_id", "event_id", "order_id")}
    await notify(tx, Notice(kind=kind, transaction_id=payment["id"], is_told=is_told, **about))


async def _tell_that_it_goes_back(tx: Transaction, envelopes: Envelopes, payment: Record) -> None:
    user = await tx.row("SELECT email, phone, language FROM users WHERE id = $1", payment["user_id"])
    if user is not None:
        to = envelopes.address_of(user["email"], user["phone"])
        amount = {"minor": payment["amount_minor"], "currency": payment["currency"]}
        draft = Draft(to, user["language"], "late_money", {"amount": amount})
        await post(tx, envelopes, payment["user_id"], draft)
