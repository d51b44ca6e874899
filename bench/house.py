"""A throw-away house to measure in: servers, one large event, many buyers, and a server process."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import embedded
from auth.tokens import AccessTokens
from database import Database
from demo.load import plan_text
from demo.plans import PLANS
from models.catalogue import Event
from models.users import Role
from settings import Settings, read_settings
from steps.create_catalogue import create_event, create_hall, create_venue
from steps.details import EventDetails, TierDraft, price_plan
from steps.publish import publish_event
from steps.transact import transact

ROOT = Path(__file__).parent.parent
BUYERS = 5_000
PLACES = 99_000
START_SECONDS_MAX = 30


@dataclass(frozen=True)
class House:
    """Where everything is."""

    settings: Settings
    database: Database
    servers: embedded.Servers
    large: Event
    rivals: dict[int, Event]
    arena: Event
    tokens: list[str]
    port: int


async def _event(database: Database, hall_id: UUID, source: str | None, tiers: list[TierDraft]) -> Event:
    starts_at = datetime.now(UTC) + timedelta(days=30)
    details = EventDetails(
        "Event", "", "", hall_id, starts_at, starts_at + timedelta(hours=3), "UTC", None, None
    )
    plan = await price_plan(source, tiers, "EUR")
    event = await transact(database, create_event, details=details, plan=plan)
    return await transact(database, publish_event, event_id=event.id)


async def _hall(database: Database) -> UUID:
    venue = await transact(database, create_venue, name="House", address="Street 1")
    return (await transact(database, create_hall, venue_id=venue.id, code="H", name="Hall")).id


@contextlib.asynccontextmanager
async def house(clients: list[int]) -> AsyncIterator[House]:
    """Build the house, run a server on it as a user would, and clear everything away at the end.

    For each number of clients pgbench has an event of its own, as large as ours.
    """
    with embedded.throwaway() as servers, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        settings = read_settings(database_url=servers.database_url, redis_url=servers.redis_url)
        database = Database(settings)
        await database.migrate()
        places = [TierDraft("Places", Decimal(10), PLACES)]
        large = await _event(database, await _hall(database), None, places)
        rivals = {n: await _event(database, await _hall(database), None, places) for n in clients}
        arena_plan = PLANS["arena"]
        tiers = [TierDraft(name, Decimal(price), capacity) for name, price, capacity in arena_plan.tiers]
        arena = await _event(database, await _hall(database), plan_text(arena_plan), tiers)
        async with database.transaction() as tx:
            await tx.rows("ANALYZE seats")
        access = AccessTokens(settings)
        tokens = [access.make(uuid4(), frozenset({Role.USER}), uuid4()) for _ in range(BUYERS)]
        with _server(servers, port) as process:
            await _until_it_answers(port, process)
            yield House(settings, database, servers, large, rivals, arena, tokens, port)
        await database.close()


@contextlib.contextmanager
def _server(servers: embedded.Servers, port: int):  # type: ignore[no-untyped-def]
    environment = os.environ | {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "PORT": str(port),
        "SEATS_PER_BUYER_MAX": "100000",
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, str(ROOT / "cli.py"), "serve"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


async def _until_it_answers(port: int, process: "subprocess.Popen[bytes]") -> None:
    async with asyncio.timeout(START_SECONDS_MAX):
        while process.poll() is None:
            with contextlib.suppress(OSError):
                await asyncio.open_connection("127.0.0.1", port)
                return
            await asyncio.sleep(0.1)
    raise SystemExit("The server did not start.")
