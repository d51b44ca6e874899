"""Money between accounts: each movement is one row that debits one account and credits another."""

from collections.abc import Sequence
from uuid import UUID

from database import Transaction
from models.columns import new_id
from models.orders import Order
from steps.locks import ACCOUNTS_OF
from steps.refusals import RefusalCode, Refused

CHARGE = f"""
    WITH due AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::uuid[], $6::uuid[])
            AS d (user_id, id, currency, amount_minor, event_id, order_id)
    ), locked AS MATERIALIZED ({ACCOUNTS_OF.format("due")}
    ), charged AS (
        UPDATE accounts a SET balance_minor = a.balance_minor - d.amount_minor
        FROM locked l JOIN due d USING (user_id, currency)
        WHERE a.user_id = l.user_id AND a.currency = l.currency AND a.balance_minor >= d.amount_minor
        RETURNING d.*
    )
    INSERT INTO movements
        (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference, actor_id)
    SELECT user_id, id, 'CREDITS', 'REVENUE', amount_minor, currency, 'PURCHASE', event_id, order_id, user_id
    FROM charged
    RETURNING reference"""
"""For each order $1 its buyer, $2 a movement's id, $3 currency, $4 price, $5 event, $6 its id."""

GIVE = """
    WITH given AS (
        INSERT INTO accounts AS a (user_id, currency, balance_minor) VALUES ($1, $3, $4)
        ON CONFLICT (user_id, currency) DO UPDATE SET balance_minor = a.balance_minor + excluded.balance_minor
        RETURNING user_id
    )
    INSERT INTO movements (user_id, id, debit, credit, amount_minor, currency, kind, actor_id, reason)
    SELECT $1, $2, 'CORRECTIONS', 'CREDITS', $4, $3, 'ADJUSTMENT', $5, $6 FROM given"""


async def charge_credits(tx: Transaction, order: Order) -> None:
    """Move the price of an order from its buyer's credits to the event's revenue.

    Refuses with what is missing when the balance does not cover it. A price of nothing moves nothing.
    """
    if await charge_all(tx, [order]):
        return
    balance = await tx.value(
        "SELECT balance_minor FROM accounts WHERE user_id = $1 AND currency = $2",
        order.buyer_id,
        order.currency,
    )
    missing = order.total_minor - (balance or 0)
    raise Refused(RefusalCode.INSUFFICIENT_CREDITS, missing=(missing, order.currency))


async def charge_all(tx: Transaction, orders: Sequence[Order]) -> set[UUID]:
    """Charge each of these orders, of different buyers; return those whose buyers had the credits."""
    dues = [
        (order.buyer_id, new_id(), order.currency, order.total_minor, order.event_id, order.id)
        for order in orders
        if order.total_minor
    ]
    free = {order.id for order in orders if not order.total_minor}
    paid = await tx.rows(CHARGE, *zip(*dues, strict=True)) if dues else []
    return free | {row["reference"] for row in paid}


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
    await tx.rows(GIVE, user_id, new_id(), currency, amount_minor, actor_id, reason)
