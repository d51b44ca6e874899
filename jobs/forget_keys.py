"""Deletes idempotency keys that are good no longer."""

from database import Database
from steps.idempotency import forget_old_keys
from steps.transact import transact

KEYS_MAX = 1_000


async def forget_keys_once(database: Database) -> int:
    """Delete old keys, a bounded number; return how many."""
    return await transact(database, forget_old_keys, keys_max=KEYS_MAX)
