"""Deletes notifications that were read long ago, or that nobody has read for more than a year."""

from database import Database
from steps.notify import forget_notifications
from steps.transact import transact

NOTIFICATIONS_MAX = 1_000


async def forget_notifications_once(database: Database) -> int:
    """Delete old notifications, a bounded number; return how many."""
    return await transact(database, forget_notifications, notifications_max=NOTIFICATIONS_MAX)
