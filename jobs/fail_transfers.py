"""Writes down that transfers have failed whose time is over, about a second after."""

from database import Database
from steps.end_transfer import fail_lapsed_transfers
from steps.transact import transact

TRANSFERS_MAX = 100


async def fail_transfers_once(database: Database) -> int:
    """Fail lapsed transfers; return how many."""
    return await transact(database, fail_lapsed_transfers, transfers_max=TRANSFERS_MAX)
