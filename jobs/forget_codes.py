"""Deletes codes that have been over for a day."""

from database import Database
from steps.codes import forget_codes
from steps.transact import transact

CODES_MAX = 1_000


async def forget_codes_once(database: Database) -> int:
    """Delete old codes, a bounded number; return how many."""
    return await transact(database, forget_codes, codes_max=CODES_MAX)
