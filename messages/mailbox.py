"""The stand-in for all senders, on a development or demo server: a mailbox that everybody there can read."""

import logging
from collections.abc import Sequence

from asyncpg import Record

from database import Database
from messages.message import Message
from models.columns import new_id

log = logging.getLogger("rowlock.mailbox")

MAILS_MAX = 1_000
MAILS_SHOWN_MAX = 100

PUT = "INSERT INTO mailbox (id, message_id, kind, recipient, subject, body) VALUES ($1, $2, $3, $4, $5, $6)"
TRIM = "DELETE FROM mailbox WHERE id <= (SELECT id FROM mailbox ORDER BY id DESC OFFSET $1 LIMIT 1)"
NEWEST = """
    SELECT message_id, kind, recipient, subject, body, sent_at FROM mailbox
    WHERE $1::text IS NULL OR recipient = $1 ORDER BY id DESC LIMIT $2"""


class Mailbox:
    """Keeps the last messages in the database, so that every process of the server has the same."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, message: Message) -> None:
        """Put a message into the mailbox, and say in the log that it is there; not what it says."""
        kind, text = message.to.kind.value, message.text
        async with self._database.transaction() as tx:
            await tx.rows(PUT, new_id(), message.id, kind, message.to.at, text.subject, text.body)
            await tx.rows(TRIM, MAILS_MAX)
        log.info("%s for %s is in the mailbox: %s", kind, message.to.masked, text.subject)

    async def newest(self, recipient: str | None = None) -> Sequence[Record]:
        """The last messages, of all or to one address, the newest first; at most 100."""
        return await self._database.rows(NEWEST, recipient, MAILS_SHOWN_MAX)
