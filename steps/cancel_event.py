"""Call an event off: its sale ends at once, and everybody's money is on its way back."""

from uuid import UUID

from database import Transaction
from models.announcements import AnnouncementKind
from models.catalogue import Event
from steps.announce import announce_event
from steps.idempotency import Key, claim
from steps.locks import lock_event
from steps.refusals import RefusalCode, Refused

CANCEL = """
    WITH cancelled AS (
        UPDATE events SET status = 'CANCELLED'
        WHERE id = $1 AND status = 'PUBLISHED' AND ends_at > statement_timestamp() RETURNING id
    )
    INSERT INTO cancellations (event_id, actor_id, look_at)
    SELECT id, $2, statement_timestamp() FROM cancelled RETURNING event_id"""
"""$1 event, $2 who cancels it."""


async def cancel_event(tx: Transaction, *, actor_id: UUID, event_id: UUID, key: Key | None = None) -> Event:
    """Cancel a published event that is not over; from then on nothing of it is sold, and no code is good.

    What is held or paid is left to `refund_cancelled`, order by order. The hall is free for another event.
    """
    cancelled_before = await claim(tx, key, made=event_id) is not None
    if await lock_event(tx, event_id) is None:
        raise Refused(RefusalCode.EVENT_NOT_FOUND)
    if not cancelled_before and await tx.row(CANCEL, event_id, actor_id) is None:
        raise Refused(
            RefusalCode.EVENT_INVALID_STATE, "Only a published event that is not over can be cancelled."
        )
    if not cancelled_before:
        await announce_event(tx, AnnouncementKind.EVENT_CANCELLED, event_id)
    event = await tx.session.get(Event, event_id)
    assert event is not None
    return event
