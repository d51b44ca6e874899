"""Pay back what was paid, because an ADMIN says so: credits to the account, a card's money to the card."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.columns import new_id
from models.ledger import AccountKind
from models.money import to_major, to_minor
from models.notifications import NotificationKind
from models.orders import Order, order_of
from models.payments import PaymentStatus
from models.transactions import Transaction as Entry
from steps.idempotency import Key, claim
from steps.locks import lock_order
from steps.notify import Notice, notify
from steps.pay_back import pay_back
from steps.person_locks import lock_payment
from steps.refunds import open_refund
from steps.refusals import Inputs, RefusalCode, Refused, invalid
from steps.replay import transaction_now
from steps.settle import REASON_CHARACTERS_MAX

PAID_BY = """
    SELECT kind, event_id, reference AS order_id FROM movements
    WHERE user_id = $1 AND id = $2 AND 'CREDITS' IN (debit, credit) AND kind <> 'TOP_UP'"""
COUNT = """
    UPDATE orders SET refunded_minor = refunded_minor + $3, updated_at = statement_timestamp()
    WHERE event_id = $1 AND id = $2"""


async def refund_transaction(
    tx: Transaction,
    *,
    actor_id: UUID,
    user_id: UUID,
    id: UUID,
    amount: Decimal | None,
    reason: str,
    key: Key | None = None,
) -> Entry:
    """Pay back an amount, or all that is left, of a purchase or of a top-up by card, and say why.

    Tickets stay as they are. No more goes back than was paid, with what `refundOrder` paid back; a top-up
    takes the credits for it, so they must be there. Refuses what was not paid, or was paid back whole
    (TRANSACTION_INVALID_STATE).
    """
    inputs = Inputs()
    inputs.check_text(reason, "input.reason", "reason", REASON_CHARACTERS_MAX)
    inputs.refuse_if_wrong()
    refund_id = new_id()
    made_before = await claim(tx, key, made=refund_id)
    if made_before is not None:
        return await transaction_now(tx, user_id, made_before)
    order, payment = await _lock(tx, user_id, id)
    about: dict[str, Any] = {"actor_id": actor_id, "reason": reason.strip(), "id": refund_id}
    if order is not None:
        left_minor = order.total_minor - order.refunded_minor
        amount_minor = amount_of(amount, left_minor, order.currency)
        await tx.rows(COUNT, order.event_id, order.id, amount_minor)
        await pay_back(tx, order, amount_minor, **about)
        named: dict[str, Any] = {
            "event_id": order.event_id,
            "order_id": order.id,
            "transaction_id": refund_id,
        }
        await notify(tx, Notice(user_id, NotificationKind.ORDER_REFUNDED, **named))
    elif payment is not None:
        left_minor = payment["amount_minor"] - payment["refunded_minor"]
        amount_minor = amount_of(amount, left_minor, payment["currency"])
        await open_refund(tx, payment, amount_minor, came_from=AccountKind.CREDITS, **about)
    return await transaction_now(tx, user_id, refund_id)


async def _lock(tx: Transaction, user_id: UUID, id: UUID) -> tuple[Order | None, Record | None]:
    """Lock the order that a transaction paid, or the top-up that it is; refuse anything else."""
    payment = await tx.row("SELECT * FROM payments WHERE user_id = $1 AND id = $2", user_id, id)
    paid = payment or await tx.row(PAID_BY, user_id, id)
    if paid is None:
        is_refund = await tx.value("SELECT 1 FROM refunds WHERE user_id = $1 AND id = $2", user_id, id)
        raise Refused(
            RefusalCode.TRANSACTION_INVALID_STATE if is_refund else RefusalCode.TRANSACTION_NOT_FOUND
        )
    if payment is not None and payment["order_id"] is None:
        top_up = await lock_payment(tx, user_id, id)
        if top_up is None or top_up["status"] != PaymentStatus.SUCCESS:
            raise Refused(RefusalCode.TRANSACTION_INVALID_STATE)
        return None, top_up
    if payment is None and paid["kind"] != "PURCHASE":
        raise Refused(RefusalCode.TRANSACTION_INVALID_STATE)
    order = await lock_order(tx, paid["event_id"], paid["order_id"])
    paid_by_it = payment["id"] if payment else None
    if order is None or order["status"] not in {"CONFIRMED", "REFUNDED"} or order["payment_id"] != paid_by_it:
        raise Refused(RefusalCode.TRANSACTION_INVALID_STATE)
    return order_of(order), None


def amount_of(amount: Decimal | None, left_minor: int, currency: str) -> int:
    """How much is to go back, in minor units: what was said, or all that is left."""
    if not left_minor:
        raise Refused(RefusalCode.TRANSACTION_INVALID_STATE, "All of it was paid back already.")
    if amount is None:
        return left_minor
    try:
        amount_minor = to_minor(amount, currency)
    except ValueError as error:
        raise invalid("input.amount", str(error)) from None
    if amount_minor <= 0:
        raise invalid("input.amount", "What is paid back is more than nothing.")
    if amount_minor > left_minor:
        left = f"{to_major(left_minor, currency):,} {currency}"
        raise Refused(RefusalCode.REFUND_NOT_ALLOWED, f"No more than {left} of it is left.")
    return amount_minor
