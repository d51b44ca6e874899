"""Announce to other systems what happened: written in the commit of the change, told after it.

Where nobody listens nothing is written. The database itself is asked, in the statement that would write, so
that no process has to know what another one has just added.
"""

from collections.abc import Sequence
from uuid import UUID

from database import Transaction
from models.announcements import AnnouncementKind
from models.columns import new_id
from models.transfers import Transfer

SOMEBODY_LISTENS = "EXISTS (SELECT FROM webhook_endpoints WHERE disabled_at IS NULL)"


def announcements_of(tickets: str, kind: str, ids: str, transfer: str = "NULL::uuid") -> str:
    """The statement that writes one announcement for each order of `tickets`, which have all its columns.

    `ids` is an array of new ids, at least one for each order. It can stand as a part of the statement that
    makes the tickets, so that neither can be without the other.
    """
    return f"""INSERT INTO announcements (event_id, id, kind, order_id, transfer_id, tickets)
        SELECT event_id, ({ids})[row_number() OVER (ORDER BY order_id)], {kind}, order_id, {transfer},
            jsonb_agg(jsonb_build_object('id', id, 'index', index, 'price_minor', price_minor,
                'currency', currency) ORDER BY index)
        FROM {tickets} WHERE {SOMEBODY_LISTENS} GROUP BY event_id, order_id"""


TICKETS = f"""
    WITH theirs AS (SELECT * FROM tickets WHERE event_id = $1 AND id = ANY($4::uuid[]))
    {announcements_of("theirs", "$2", "$3::uuid[]", "$5::uuid")}"""

OF_EVENT = f"""
    INSERT INTO announcements (event_id, id, kind, order_id)
    SELECT $1, w.id, $2, w.order_id FROM unnest($3::uuid[], $4::uuid[]) AS w (id, order_id)
    WHERE {SOMEBODY_LISTENS}"""


async def announce_tickets(
    tx: Transaction,
    kind: AnnouncementKind,
    event_id: UUID,
    ticket_ids: Sequence[UUID],
    *,
    transfer_id: UUID | None = None,
) -> None:
    """Announce what happened to tickets, or to those of a transfer: once for each order that they are of.

    It comes after the lock on their order or on the tickets, in a statement of its own.
    """
    if ticket_ids:
        new_ids = [new_id() for _ in ticket_ids]
        await tx.rows(TICKETS, event_id, kind.value, new_ids, ticket_ids, transfer_id)


async def announce_transfer(tx: Transaction, kind: AnnouncementKind, transfer: Transfer) -> None:
    """Announce what happened to a transfer, after the lock on its ticket."""
    await announce_tickets(tx, kind, transfer.event_id, [transfer.ticket_id], transfer_id=transfer.id)


async def announce_orders(
    tx: Transaction, kind: AnnouncementKind, event_id: UUID, order_ids: Sequence[UUID]
) -> None:
    """Announce what happened to each of these orders, after the lock on it."""
    if order_ids:
        await tx.rows(OF_EVENT, event_id, kind.value, [new_id() for _ in order_ids], order_ids)


async def announce_event(tx: Transaction, kind: AnnouncementKind, event_id: UUID) -> None:
    """Announce what happened to an event as a whole, after the lock on it."""
    await tx.rows(OF_EVENT, event_id, kind.value, [new_id()], [None])
