"""Money between accounts: each movement is one row that debits one account and credits another."""

from uuid import UUID

from database import Transaction
from models.columns import new_id
from steps.refusals import RefusalCode, Refused

CHARGE = """
    WITH charged AS (
        UPDATE accounts SET balance_minor = balance_minor - $4
        WHERE user_id = $1 AND currency = $3 AND balance_minor >= $4
        RETURNING user_id
    )
    INSERT INTO movements
        (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference, actor_id)
    SELECT $1, $2, 'CREDITS', 'REVENUE', $4, $3, 'PURCHASE', $5, $6, $1 FROM charged
    RETURNING id"""

GIVE = """
    WITH given AS (
        INSERT INTO accounts AS a (user_id, currency, balance_minor) VALUES ($1, $3, $4)
        ON CONFLICT (user_id, currency) DO UPDATE SET balance_minor = a.balance_minor + excluded.balance_minor
        RETURNING user_id
    )
    INSERT INTO movements (user_id, id, debit, credit, amount_minor, currency, kind, actor_id, reason)
    SELECT $1, $2, 'CORRECTIONS', 'CREDITS', $4, $3, 'ADJUSTMENT', $5, $6 FROM given"""


async def charge_credits(
    tx: Transaction, *, user_id: UUID, amount_minor: int, currency: str, event_id: UUID, order_id: UUID
) -> None:
    """Move the price of an order from its buyer's credits to the event's revenue.

    Refuses with what is missing when the balance does not cover it. A price of nothing moves nothing.
    """
    if amount_minor == 0:
        return
    paid = await tx.value(CHARGE, user_id, new_id(), currency, amount_minor, event_id, order_id)
    if paid is None:
        balance = await tx.value(
            "SELECT balance_minor FROM accounts WHERE user_id = $1 AND currency = $2", user_id, currency
        )
        raise Refused(RefusalCode.INSUFFICIENT_CREDITS, missing=(amount_minor - (balance or 0), currency))


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
