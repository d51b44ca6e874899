"""Ten thousand webhooks to a hundred endpoints, of which ten are dead: how fast the others have theirs."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal

import embedded
from auth.webhook_secrets import WebhookSecrets
from bench.house import new_event
from database import Database, Transaction
from jobs.deliver import Deliverer
from jobs.tell_endpoints import tell_endpoints_once
from messages.envelopes import Envelopes
from messages.post import Post
from messages.webhooks import WebhookSender
from models.announcements import AnnouncementKind
from models.columns import new_id
from models.deliveries import DeliveryKind
from settings import Settings, read_settings
from steps.announce import announce_orders
from steps.details import TierDraft
from steps.transact import transact
from steps.webhook_endpoints import add_endpoint

ENDPOINTS = 100
DEAD = 10
ANNOUNCEMENTS = 100
SECONDS_MAX = 120
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Receivers:
    """One listener that takes what comes to /well, and never answers what comes to /dead."""

    port: int = 0
    well: int = 0
    dead: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
                if head.startswith(b"post /dead"):
                    self.dead += 1
                    continue
                self.well += 1
                writer.write(TAKEN)
                await writer.drain()
        self.open.discard(writer)
        writer.close()


@contextlib.asynccontextmanager
async def receivers() -> AsyncIterator[Receivers]:
    found = Receivers()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()
    for writer in list(found.open):
        writer.close()


async def deliveries(dead: int) -> str:
    """A line: how long until every endpoint that is not dead had everything."""
    with embedded.throwaway() as servers:
        settings = read_settings(database_url=servers.database_url, redis_url=servers.redis_url)
        database = Database(settings)
        await database.migrate()
        async with receivers() as there:
            await _announce(database, settings, there.port, dead)
            envelopes = Envelopes(settings)
            start = time.perf_counter()
            while await tell_endpoints_once(database, envelopes):
                pass
            told_seconds = time.perf_counter() - start
            seconds = await _deliver(database, settings, there, (ENDPOINTS - dead) * ANNOUNCEMENTS)
        await database.close()
    return (
        f"{ENDPOINTS} endpoints, {dead:2} dead: {ENDPOINTS * ANNOUNCEMENTS:,} deliveries written in "
        f"{told_seconds:.1f} s; {there.well:,} taken in {seconds:.1f} s, {there.well / seconds:,.0f}/s"
    )


async def _announce(database: Database, settings: Settings, port: int, dead: int) -> None:
    secrets = WebhookSecrets(settings)
    for n in range(ENDPOINTS):
        url = f"http://127.0.0.1:{port}/{'dead' if n < dead else 'well'}/{n}"
        kinds = [AnnouncementKind.ORDER_EXPIRED]
        await transact(database, add_endpoint, secrets=secrets, url=url, kinds=kinds, only_https=False)
    event = await new_event(database, None, [TierDraft("Places", Decimal(10), 1)])

    async def announce(tx: Transaction) -> None:
        orders = [new_id() for _ in range(ANNOUNCEMENTS)]
        await announce_orders(tx, AnnouncementKind.ORDER_EXPIRED, event.id, orders)

    await transact(database, announce)


async def _deliver(database: Database, settings: Settings, there: Receivers, wanted: int) -> float:
    sender = WebhookSender(settings, database)
    deliverer = Deliverer(database, Envelopes(settings), Post({DeliveryKind.WEBHOOK: sender}))
    start = time.perf_counter()
    async with asyncio.timeout(SECONDS_MAX):
        while there.well < wanted:
            await deliverer.deliver_once()
    seconds = time.perf_counter() - start
    await deliverer.stop()
    await sender.close()
    return seconds
