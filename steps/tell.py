"""Tell endpoints what was announced: a delivery for each that wants to know, now or once more."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from database import Transaction
from messages.envelopes import Envelopes
from messages.message import Address, Message, Text
from models.webhook_endpoints import kind_of_endpoint
from steps.person_locks import UNTOLD
from steps.refusals import RefusalCode, Refused

ANNOUNCEMENT_DAYS = 30
"""How long an announcement can be told again."""

PayloadOf = Callable[[Record], str]

TO_TELL = f"""
    WITH untold AS MATERIALIZED ({UNTOLD})
    UPDATE announcements a SET told_at = statement_timestamp()
    FROM untold u WHERE a.event_id = u.event_id AND a.id = u.id RETURNING a.*"""

LISTENING = "SELECT id, kinds, created_at FROM webhook_endpoints WHERE disabled_at IS NULL ORDER BY id"

WRITE = """
    INSERT INTO deliveries AS d (owner_id, id, kind, recipient, sealed, created_at, queue_id)
    SELECT w.owner_id, w.id, w.kind, w.owner_id::text, w.sealed, w.created_at, w.queue_id
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::timestamptz[], $6::uuid[])
        AS w (owner_id, id, kind, sealed, created_at, queue_id)
    ON CONFLICT (owner_id, id) DO UPDATE SET sealed = excluded.sealed, state = 'PENDING', attempts = 0,
        next_attempt_at = statement_timestamp() WHERE d.state <> 'PENDING'"""

SINCE = """
    SELECT * FROM announcements WHERE (created_at, id) > ($1, $2) AND kind = ANY($3::text[])
        AND told_at IS NOT NULL
    ORDER BY created_at, id LIMIT $4"""

FORGET = f"""
    WITH old AS (
        SELECT event_id, id FROM announcements
        WHERE created_at < statement_timestamp() - interval '{ANNOUNCEMENT_DAYS} days'
        ORDER BY created_at, id LIMIT $1
    ), gone AS (
        DELETE FROM announcements a USING old WHERE a.event_id = old.event_id AND a.id = old.id RETURNING 1
    )
    SELECT count(*) FROM gone"""


async def tell_endpoints(
    tx: Transaction, *, envelopes: Envelopes, payload_of: PayloadOf, announcements_max: int
) -> int:
    """Write a delivery of each new announcement to every endpoint of its kind; return how many were new.

    An endpoint is told of what happened since it was added.
    """
    new = await tx.rows(TO_TELL, announcements_max)
    endpoints = await tx.rows(LISTENING) if new else []
    wanted = [
        (endpoint["id"], announcement)
        for announcement in new
        for endpoint in endpoints
        if announcement["kind"] in endpoint["kinds"] and announcement["created_at"] >= endpoint["created_at"]
    ]
    await _write(tx, envelopes, payload_of, wanted)
    return len(new)


async def replay(
    tx: Transaction,
    *,
    envelopes: Envelopes,
    payload_of: PayloadOf,
    endpoint_id: UUID,
    after: tuple[datetime, UUID],
    announcements_max: int,
) -> Sequence[Record]:
    """Tell an endpoint once more what was announced after a time and an id, at most so much; return it.

    Each has the id that it had before. What still waits to be sent stays as it is.
    """
    kinds = await tx.value(
        "SELECT kinds FROM webhook_endpoints WHERE id = $1 AND disabled_at IS NULL", endpoint_id
    )
    if kinds is None:
        raise Refused(RefusalCode.VALIDATION_ERROR, "There is no such endpoint, or it is disabled.")
    found = await tx.rows(SINCE, *after, kinds, announcements_max)
    await _write(tx, envelopes, payload_of, [(endpoint_id, announcement) for announcement in found])
    return found


async def forget_announcements(tx: Transaction, *, announcements_max: int) -> int:
    """Delete old announcements, at most so many; return how many."""
    deleted: int = await tx.value(FORGET, announcements_max)
    return deleted


async def _write(
    tx: Transaction,
    envelopes: Envelopes,
    payload_of: PayloadOf,
    wanted: Iterable[tuple[UUID, Record]],
) -> None:
    """What is about one order to one endpoint is a queue; so is what is about an event as a whole."""
    rows, texts = [], dict[UUID, Text]()
    for endpoint_id, said in wanted:
        if said["id"] not in texts:
            texts[said["id"]] = Text(said["kind"], payload_of(said))
        address = Address(kind_of_endpoint(endpoint_id), str(endpoint_id))
        message = Message(said["id"], address, texts[said["id"]])
        sealed = envelopes.close(endpoint_id, message)
        queue_id = said["order_id"] or said["event_id"]
        rows.append((endpoint_id, message.id, address.kind, sealed, said["created_at"], queue_id))
    if rows:
        await tx.rows(WRITE, *zip(*rows, strict=True))
