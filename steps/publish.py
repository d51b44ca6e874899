"""Put an event on sale."""

from uuid import UUID

from database import Transaction
from models.announcements import AnnouncementKind
from models.catalogue import Event
from steps.announce import announce_event
from steps.idempotency import Key, claim
from steps.locks import lock_event
from steps.refusals import RefusalCode, Refused


async def publish_event(tx: Transaction, *, event_id: UUID, key: Key | None = None) -> Event:
    """Publish a draft, whose plan from then on never changes.

    Refuses one that is published already, that is over, or whose hall another event has at that time
    (HALL_OCCUPIED, which the database itself sees to).
    """
    published_before = await claim(tx, key, made=event_id) is not None
    if await lock_event(tx, event_id) is None:
        raise Refused(RefusalCode.EVENT_NOT_FOUND)
    if not published_before:
        await _publish(tx, event_id)
    event = await tx.session.get(Event, event_id)
    assert event is not None
    return event


async def _publish(tx: Transaction, event_id: UUID) -> None:
    published = await tx.value(
        """UPDATE events SET status = 'PUBLISHED'
           WHERE id = $1 AND status = 'DRAFT' AND ends_at > statement_timestamp() RETURNING id""",
        event_id,
    )
    if published is None:
        raise Refused(
            RefusalCode.EVENT_INVALID_STATE, "Only a draft of an event that is not over can be published."
        )
    await announce_event(tx, AnnouncementKind.EVENT_PUBLISHED, event_id)
    # The planner has to know of so many new seats before the sale begins, and not a minute later.
    await tx.rows("ANALYZE seats")
