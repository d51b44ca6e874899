"""Deletes deliveries that were sent or given up long ago."""

from database import Database
from steps.deliver import forget_deliveries
from steps.transact import transact

DELIVERIES_MAX = 1_000


async def forget_deliveries_once(database: Database) -> int:
    """Delete old deliveries, a bounded number; return how many."""
    return await transact(database, forget_deliveries, deliveries_max=DELIVERIES_MAX)
