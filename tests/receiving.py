"""Another system that is told what happens: a real HTTP server that takes, fails, hangs, and comes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Record
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.webhook_secrets import WebhookSecrets
from database import Database
from jobs.deliver import Deliverer
from jobs.tell_endpoints import tell_endpoints_once
from messages.post import Post
from messages.webhooks import WebhookSender
from models.announcements import AnnouncementKind
from models.deliveries import DeliveryKind
from steps.transact import transact
from steps.webhook_endpoints import add_endpoint
from tests.codes import ENVELOPES, SETTINGS
from tests.serving import answering

SECRETS = WebhookSecrets(SETTINGS)
ALL_KINDS = tuple(AnnouncementKind)


@dataclass
class Receiver:
    """Where it answers, what it answers, and all that came."""

    url: str = ""
    status: int = 204
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        self.came.set()
        if self.hangs:
            await self.released.wait()
        return Response(self.text, self.status, self.headers)

    @property
    def said(self) -> list[dict[str, Any]]:
        """The bodies that came."""
        return [orjson.loads(body) for _, body in self.got]

    @property
    def kinds(self) -> list[str]:
        return [said["type"] for said in self.said]


@contextlib.asynccontextmanager
async def receiving(path: str = "/hook") -> AsyncIterator[Receiver]:
    """Run a receiver in this event loop until the block ends."""
    receiver = Receiver()
    async with answering(Starlette(routes=[Route(path, receiver.take, methods=["POST"])])) as (url, _):
        receiver.url = f"{url}{path}"
        try:
            yield receiver
        finally:
            receiver.released.set()


async def added(database: Database, url: str, kinds: tuple[str, ...] = ALL_KINDS) -> tuple[UUID, str]:
    """An endpoint and its secret."""
    return await transact(database, add_endpoint, secrets=SECRETS, url=url, kinds=kinds, only_https=False)


@contextlib.asynccontextmanager
async def worker(database: Database, round_seconds: float = 60) -> AsyncIterator[Deliverer]:
    """One that sends webhooks; its rounds last until all in hand is tried, unless told otherwise."""
    sender = WebhookSender(SETTINGS, database)
    deliverer = Deliverer(database, ENVELOPES, Post({DeliveryKind.WEBHOOK: sender}), round_seconds)
    try:
        yield deliverer
    finally:
        await deliverer.stop()
        await sender.close()


async def told(database: Database) -> int:
    """Tell endpoints all that was announced, send what is due, and say how many tries that took."""
    found = 0
    while await tell_endpoints_once(database, ENVELOPES):
        pass
    async with worker(database) as deliverer:
        while tried := await deliverer.deliver_once():
            found += tried // 2
    return found


async def let_all_be_due(database: Database) -> None:
    """Move the clock of what waits, as if the pause were over."""
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET next_attempt_at = statement_timestamp() WHERE state = 'PENDING'")


async def deliveries(database: Database) -> list[Record]:
    return list(await database.rows("SELECT * FROM deliveries ORDER BY created_at, id, owner_id"))
