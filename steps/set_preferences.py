"""Say by which channels a person wants to be notified of what."""

from collections.abc import Mapping
from uuid import UUID

from database import Transaction
from models.notifications import WANTED_BY_DEFAULT, NotificationChannel, NotificationKind
from models.users import User
from steps.person_locks import lock_user
from steps.refusals import RefusalCode, Refused

CLEAR = """
    DELETE FROM notification_preferences
    WHERE user_id = $1 AND (kind, channel) IN (SELECT * FROM unnest($2::text[], $3::text[]))"""
KEEP = """
    INSERT INTO notification_preferences (user_id, kind, channel, wanted)
    SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bool[])"""

Preferences = Mapping[tuple[NotificationKind, NotificationChannel], bool]


async def set_preferences(tx: Transaction, *, user_id: UUID, preferences: Preferences) -> User:
    """Take what a person says of these kinds and channels; what is not named stays as it is.

    Only what differs from the default is kept.
    """
    row = await lock_user(tx, user_id)
    if row is None:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    await tx.rows(CLEAR, user_id, *_columns(preferences)[:2])
    other = {named: wanted for named, wanted in preferences.items() if wanted != WANTED_BY_DEFAULT[named]}
    await tx.rows(KEEP, user_id, *_columns(other))
    return User(**row)


def _columns(preferences: Preferences) -> tuple[list[str], list[str], list[bool]]:
    named = list(preferences)
    return [kind for kind, _ in named], [channel for _, channel in named], list(preferences.values())
