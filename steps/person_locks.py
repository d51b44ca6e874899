"""The locks on a person's own rows, in one order: the person, then the session."""

from uuid import UUID

from asyncpg import Record

from database import Transaction


async def lock_user(tx: Transaction, user_id: UUID) -> Record | None:
    """Lock a person against everybody else who changes them or opens a session; None if there is none."""
    return await tx.row("SELECT * FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)


async def lock_session(tx: Transaction, user_id: UUID, session_id: UUID) -> Record | None:
    """Lock a session against everybody else who would use or end it; None when there is none."""
    return await tx.row(
        "SELECT * FROM sessions WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE", user_id, session_id
    )


async def lock_held_orders(tx: Transaction, user_id: UUID) -> None:
    """Lock the orders that a person has still to pay for; as orders of an event, before the person."""
    await tx.rows(
        """SELECT 1 FROM orders WHERE buyer_id = $1 AND status = 'PENDING'
           ORDER BY event_id, id FOR NO KEY UPDATE""",
        user_id,
    )
