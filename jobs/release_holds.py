"""Ends holds whose time is over, about a second after."""

from database import Database
from steps.release import release_lapsed
from steps.transact import transact

ORDERS_MAX = 100


async def release_holds_once(database: Database) -> int:
    """Free the seats of lapsed orders; return how many orders ended."""
    return await transact(database, release_lapsed, orders_max=ORDERS_MAX)
