"""Deletes carts that nobody has changed for a month."""

from database import Database
from steps.carts import forget_carts
from steps.transact import transact

CARTS_MAX = 1_000


async def forget_carts_once(database: Database) -> int:
    """Delete old carts, a bounded number; return how many."""
    return await transact(database, forget_carts, carts_max=CARTS_MAX)
