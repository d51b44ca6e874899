"""Money between accounts: each movement is one row that debits one account and credits another."""

from collections.abc import Sequence
from uuid import UUID

from database import Transaction
from models.codes import is_proven
from models.columns import new_id
from models.ledger import AccountKind, MovementKind
from models.orders import Order
from models.topics import person_topic
from steps.locks import ACCOUNTS_OF
from steps.refusals import RefusalCode, Refused

PROVEN = f"""coalesce((
    SELECT {is_proven("c")} FROM codes c
    WHERE c.user_id = {{}} AND c.purpose = 'PURCHASE' AND c.object_id = {{}}), false)"""
"""Whether this person has verified a code for this order, and it still counts; found by its key."""

CHARGE = f"""
    WITH due AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::uuid[], $6::uuid[],
            $7::uuid[]) AS d (user_id, id, currency, amount_minor, event_id, order_id, notification_id)
    ), allowed AS MATERIALIZED (
        SELECT d.* FROM due d
        WHERE (SELECT flagged FROM users WHERE id = d.user_id) IS NOT TRUE
            OR {PROVEN.format("d.user_id", "d.order_id")}
    ), to_pay AS (SELECT * FROM allowed WHERE amount_minor > 0
    ), locked AS MATERIALIZED ({ACCOUNTS_OF.format("to_pay")}
    ), charged AS (
        UPDATE accounts a SET balance_minor = a.balance_minor - d.amount_minor
        FROM locked l JOIN to_pay d USING (user_id, currency)
        WHERE a.user_id = l.user_id AND a.currency = l.currency AND a.balance_minor >= d.amount_minor
        RETURNING d.*
    ), moved AS (
        INSERT INTO movements
            (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference, actor_id)
        SELECT user_id, id, 'CREDITS', 'REVENUE', amount_minor, currency, 'PURCHASE', event_id, order_id,
            user_id
        FROM charged
    ), paid AS (
        SELECT * FROM charged UNION ALL SELECT * FROM allowed WHERE amount_minor = 0
    ), notified AS (
        INSERT INTO notifications (user_id, id, kind, event_id, order_id, transaction_id)
        SELECT user_id, notification_id, 'ORDER_CONFIRMED', event_id, order_id,
            CASE WHEN amount_minor > 0 THEN id END
        FROM paid WHERE (SELECT true FROM users WHERE id = paid.user_id)
    )
    SELECT order_id FROM paid"""
"""For each order $1 its buyer, $2 a movement's id, $3 currency, $4 price, $5 event, $6 its id, $7 the id of
the buyer's notification.

A flagged buyer is charged only with a code that was verified for the order."""

NEEDS_CODE = f"SELECT (SELECT flagged FROM users WHERE id = $1) AND NOT {PROVEN.format('$1', '$2')}"

WHY_NOT = f"""
    SELECT ({NEEDS_CODE}) AS needs_code,
        (SELECT balance_minor FROM accounts WHERE user_id = $1 AND currency = $3) AS balance_minor"""

GIVE = """
    INSERT INTO accounts AS a (user_id, currency, balance_minor) VALUES ($1, $2, $3)
    ON CONFLICT (user_id, currency) DO UPDATE SET balance_minor = a.balance_minor + excluded.balance_minor
    RETURNING balance_minor"""

TAKE = """
    UPDATE accounts SET balance_minor = balance_minor - $3
    WHERE user_id = $1 AND currency = $2 AND balance_minor >= $3
    RETURNING balance_minor"""

ACCOUNT = """
    INSERT INTO accounts (user_id, currency, balance_minor) VALUES ($1, $2, 0)
    ON CONFLICT (user_id, currency) DO NOTHING"""

BALANCE = "SELECT balance_minor FROM accounts WHERE user_id = $1 AND currency = $2"

MOVE = """
    INSERT INTO movements
        (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference, actor_id, reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""

REFUND = """
    WITH given AS (
        UPDATE accounts SET balance_minor = balance_minor + $4 WHERE user_id = $1 AND currency = $3
        RETURNING user_id
    )
    INSERT INTO movements
        (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference, actor_id, reason)
    SELECT user_id, $2, 'REVENUE', 'CREDITS', $4, $3, 'REFUND', $5, $6, $7, $8 FROM given RETURNING id"""


async def charge_credits(tx: Transaction, order: Order) -> None:
    """Move the price of an order from its buyer's credits to the event's revenue.

    Refuses a flagged buyer who has verified no code for it, and with what is missing when the balance does
    not cover it. A price of nothing moves nothing.
    """
    if await charge_all(tx, [order]):
        return
    buyer = await tx.row(WHY_NOT, order.buyer_id, order.id, order.currency)
    assert buyer is not None, "this asks for one row"
    if buyer["needs_code"]:
        raise Refused(RefusalCode.OTP_REQUIRED)
    missing = order.total_minor - (buyer["balance_minor"] or 0)
    raise Refused(RefusalCode.INSUFFICIENT_CREDITS, missing=(missing, order.currency))


async def needs_code(tx: Transaction, user_id: UUID, order_id: UUID) -> bool:
    """Say whether a buyer is flagged and has verified no code for this order."""
    found: bool | None = await tx.value(NEEDS_CODE, user_id, order_id)
    return bool(found)


async def charge_all(tx: Transaction, orders: Sequence[Order]) -> set[UUID]:
    """Charge each of these orders, of different buyers, and notify them; return those who may and can pay."""
    dues = [
        (order.buyer_id, new_id(), order.currency, order.total_minor, order.event_id, order.id, new_id())
        for order in orders
    ]
    paid = await tx.rows(CHARGE, *zip(*dues, strict=True)) if dues else []
    tx.touched.update(person_topic(order.buyer_id) for order in orders)
    return {row["order_id"] for row in paid}


async def refund_credits(
    tx: Transaction,
    order: Order,
    amount_minor: int,
    *,
    actor_id: UUID,
    reason: str | None = None,
    id: UUID | None = None,
) -> None:
    """Move an amount from the event's revenue back to the credits that paid the order."""
    if not amount_minor:
        return
    moved = await tx.row(
        REFUND,
        order.buyer_id,
        id or new_id(),
        order.currency,
        amount_minor,
        order.event_id,
        order.id,
        actor_id,
        reason,
    )
    assert moved is not None, "the account that paid is there"


async def give_credits(
    tx: Transaction,
    *,
    user_id: UUID,
    amount_minor: int,
    currency: str,
    reason: str,
    actor_id: UUID | None = None,
) -> None:
    """Move credits from the house's corrections to a person, with the reason."""
    assert amount_minor > 0, "what is given is more than nothing"
    await move(
        tx,
        id=new_id(),
        user_id=user_id,
        amount_minor=amount_minor,
        currency=currency,
        other=AccountKind.CORRECTIONS,
        kind=MovementKind.ADJUSTMENT,
        actor_id=actor_id,
        reason=reason,
    )


async def book(
    tx: Transaction,
    *,
    id: UUID,
    user_id: UUID,
    amount_minor: int,
    currency: str,
    debit: AccountKind,
    credit: AccountKind,
    kind: MovementKind,
    event_id: UUID | None = None,
    reference: UUID,
    actor_id: UUID | None = None,
    reason: str | None = None,
) -> None:
    """Move an amount of a person's money between two accounts of the house; no balance changes."""
    assert AccountKind.CREDITS not in {debit, credit}, "a person's credits are moved with `move`"
    await tx.rows(ACCOUNT, user_id, currency)
    row = (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference, actor_id, reason)
    await tx.rows(MOVE, *row)


async def move(
    tx: Transaction,
    *,
    id: UUID,
    user_id: UUID,
    amount_minor: int,
    currency: str,
    other: AccountKind,
    kind: MovementKind,
    event_id: UUID | None = None,
    reference: UUID | None = None,
    actor_id: UUID | None = None,
    reason: str | None = None,
) -> None:
    """Move an amount between a person's credits and another account: to the person, or from when negative.

    Refuses with what is missing when the balance does not cover it. The row has this id, so that what is
    moved under one id is moved once.
    """
    debit, credit = (other, AccountKind.CREDITS) if amount_minor > 0 else (AccountKind.CREDITS, other)
    size_minor = abs(amount_minor)
    change = GIVE if amount_minor > 0 else TAKE
    if await tx.row(change, user_id, currency, size_minor) is None:
        missing = size_minor - (await tx.value(BALANCE, user_id, currency) or 0)
        raise Refused(RefusalCode.INSUFFICIENT_CREDITS, missing=(missing, currency))
    row = (user_id, id, debit, credit, size_minor, currency, kind, event_id, reference, actor_id, reason)
    await tx.rows(MOVE, *row)
