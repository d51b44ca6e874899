"""Messages to a person, by a provider that takes them, fails, or never answers."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from asyncpg import Record

from database import Database
from jobs.deliver import Deliverer
from messages.envelopes import Envelopes
from messages.message import Address, Draft, Message
from messages.post import Post
from models.deliveries import DeliveryKind
from models.users import User
from steps.deliver import post
from steps.transact import transact
from tests.codes import ENVELOPES, LETTERS

CODE = "123456"
FACTS = {"purpose": "PURCHASE", "code": CODE, "minutes": 5}


@dataclass
class Provider:
    """Sends as it is told: it takes a message, fails, or never answers."""

    database: Database
    fails_with: Exception | None = None
    hangs: bool = False
    sent: list[Message] = field(default_factory=list)
    busy: int = 0

    async def send(self, message: Message) -> None:
        self.busy = max(self.busy, self.database.writing.pool.checkedout())  # type: ignore[attr-defined]
        if self.fails_with:
            raise self.fails_with
        self.sent.append(message)
        if self.hangs:
            await asyncio.Event().wait()


async def posted(database: Database, user: User, expires_in_seconds: int | None = None) -> UUID:
    return await transact(
        database,
        post,
        envelopes=ENVELOPES,
        user_id=user.id,
        message=Draft(Address(DeliveryKind.EMAIL, "ann@example.com"), "en", "code", FACTS),
        expires_in_seconds=expires_in_seconds,
    )


async def given_up(database: Database, user: User) -> None:
    """A message that a mail server did not take, and nobody tries any more."""
    id = await posted(database, user)
    async with database.transaction() as tx:
        await tx.rows(
            """UPDATE deliveries SET state = 'DEAD', attempts = 12, answer_status = 550,
                   answer = 'no such box: <Ann@Example.com>'
               WHERE id = $1""",
            id,
        )


def deliverer(database: Database, provider: Provider, envelopes: Envelopes = ENVELOPES) -> Deliverer:
    """One whose rounds last until all in hand is tried."""
    return Deliverer(database, envelopes, Post({DeliveryKind.EMAIL: provider}, LETTERS), round_seconds=60)


async def delivered(database: Database, provider: Provider, envelopes: Envelopes = ENVELOPES) -> int:
    """How many were tried, each claimed and settled once."""
    found = await deliverer(database, provider, envelopes).deliver_once()
    assert found % 2 == 0
    return found // 2


async def row_of(database: Database) -> Record:
    (row,) = await database.rows("SELECT * FROM deliveries")
    return row


async def let_it_be_due(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET next_attempt_at = statement_timestamp()")
