"""Note that a person has read what they were notified of."""

from collections.abc import Collection
from uuid import UUID

from database import Transaction
from models.columns import plain_row
from models.notifications import Notification
from steps.person_locks import lock_notifications, lock_unread_notifications
from steps.refusals import RefusalCode, Refused, invalid

NAMED_MAX = 100
MARKED_MAX = 1_000

MARK = """
    UPDATE notifications SET read_at = statement_timestamp()
    WHERE user_id = $1 AND id = ANY($2::uuid[]) AND read_at IS NULL"""
MARKED = f"""
    SELECT * FROM notifications WHERE user_id = $1 AND id = ANY($2::uuid[])
    ORDER BY id DESC LIMIT {NAMED_MAX}"""


async def mark_read(
    tx: Transaction, *, user_id: UUID, named: Collection[tuple[UUID, UUID]] | None
) -> list[Notification]:
    """Mark these notifications as read, or all; return them as they are now, the newest 100 at most.

    What was read before stays as it is. Of very many, the oldest 1,000 that are unread are marked, and others
    when it is asked again. Refuses all if one that is named is not there, or somebody else's.
    """
    if named is None:
        ids = await lock_unread_notifications(tx, user_id, MARKED_MAX)
    else:
        if len(named) > NAMED_MAX:
            raise invalid("input.ids", f"Name at most {NAMED_MAX} notifications, or none to mark all.")
        wanted = {id for owner_id, id in named if owner_id == user_id}
        ids = await lock_notifications(tx, user_id, wanted)
        if len(ids) < len(set(named)):
            raise Refused(RefusalCode.NOTIFICATION_NOT_FOUND)
    await tx.rows(MARK, user_id, ids)
    return [plain_row(Notification, row) for row in await tx.rows(MARKED, user_id, ids)]
