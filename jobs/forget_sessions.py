"""Deletes sessions that have been over for days."""

from database import Database
from steps.end_sessions import forget_sessions
from steps.transact import transact

SESSIONS_MAX = 1_000


async def forget_sessions_once(database: Database) -> int:
    """Delete old sessions, a bounded number; return how many."""
    return await transact(database, forget_sessions, sessions_max=SESSIONS_MAX)
