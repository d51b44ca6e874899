"""Notify people of what happened to them: written in the commit of the change, told after it."""

from typing import NamedTuple
from uuid import UUID

from database import Transaction
from models.columns import new_id
from models.notifications import NotificationKind
from models.topics import person_topic
from models.transfers import Transfer
from steps.person_locks import STAYS

READ_KEPT_DAYS = 180
KEPT_DAYS = 400

NOTIFY = f"""
    INSERT INTO notifications
        (id, user_id, kind, event_id, order_id, ticket_id, transfer_id, transaction_id, told_at)
    SELECT n.id, n.user_id, n.kind, n.event_id, n.order_id, n.ticket_id, n.transfer_id, n.transaction_id,
        CASE WHEN n.is_told THEN statement_timestamp() END
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[],
        $7::uuid[], $8::uuid[], $9::bool[]) AS n (id, user_id, kind, event_id, order_id, ticket_id,
        transfer_id, transaction_id, is_told)
    JOIN ({STAYS.format("$2::uuid[]")}) u ON u.id = n.user_id
    ON CONFLICT (user_id, event_id) WHERE kind = 'EVENT_CANCELLED' DO NOTHING"""

FORGET = f"""
    WITH old AS (
        (SELECT user_id, id FROM notifications WHERE read_at IS NOT NULL
            AND created_at < statement_timestamp() - interval '{READ_KEPT_DAYS} days'
         ORDER BY created_at LIMIT $1)
        UNION ALL
        (SELECT user_id, id FROM notifications WHERE read_at IS NULL
            AND created_at < statement_timestamp() - interval '{KEPT_DAYS} days'
         ORDER BY created_at LIMIT $1)
    ), gone AS (
        DELETE FROM notifications n USING old WHERE n.user_id = old.user_id AND n.id = old.id RETURNING 1
    )
    SELECT count(*)::int FROM gone"""


class Notice(NamedTuple):
    """Whom something happened to, what it was, and what it is about.

    What is `is_told` goes out in a message of its own, and in no other.
    """

    user_id: UUID
    kind: NotificationKind
    event_id: UUID | None = None
    order_id: UUID | None = None
    ticket_id: UUID | None = None
    transfer_id: UUID | None = None
    transaction_id: UUID | None = None
    is_told: bool = False


async def notify(tx: Transaction, *notices: Notice) -> None:
    """Write these notifications, but for people without an account.

    Of an event that was cancelled nobody is notified twice. It comes after the locks on what has changed.
    """
    rows = [(new_id(), *notice) for notice in sorted(notices, key=lambda n: n.user_id)]
    if rows:
        tx.touched.update(person_topic(notice.user_id) for notice in notices)
        await tx.rows(NOTIFY, *zip(*rows, strict=True))


def of_transfer(kind: NotificationKind, transfer: Transfer, *people: UUID) -> list[Notice]:
    """What these people are notified of about a transfer; both whose it is, when nobody is named."""
    return [
        Notice(
            person,
            kind,
            event_id=transfer.event_id,
            ticket_id=transfer.ticket_id,
            transfer_id=transfer.id,
        )
        for person in people or (transfer.seller_id, transfer.buyer_id)
    ]


async def forget_notifications(tx: Transaction, *, notifications_max: int) -> int:
    """Delete those read that are older than half a year, and any older than 400 days, so many of each."""
    deleted: int = await tx.value(FORGET, notifications_max)
    return deleted
