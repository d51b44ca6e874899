"""A throw-away house to measure in: servers, one large event, many buyers, and a server process."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import embedded
from auth.tokens import AccessTokens
from bench.servers import rowlock
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

BUYERS = 5_000
PLACES = 99_000
PRICE_MINOR = 1_000


@dataclass(frozen=True)
class House:
    """Where everything is."""

    settings: Settings
    database: Database
    servers: embedded.Servers
    large: Event
    rivals: dict[int, Event]
    arena: Event
    tokens: dict[UUID, str]
    port: int


async def _hall(database: Database) -> UUID:
    venue = await transact(database, create_venue, name="House", address="Street 1")
    return (await transact(database, create_hall, venue_id=venue.id, code="H", name="Hall")).id


async def new_event(
    database: Database, source: str | None, tiers: list[TierDraft], *, days_ahead: int = 30
) -> Event:
    """A published event in a hall of its own."""
    hall_id = await _hall(database)
    starts_at = datetime.now(UTC) + timedelta(days=days_ahead)
    details = EventDetails(
        "Event", "", "", hall_id, starts_at, starts_at + timedelta(hours=3), "UTC", None, None
    )
    plan = await price_plan(source, tiers, "EUR")
    event = await transact(database, create_event, details=details, plan=plan)
    return await transact(database, publish_event, event_id=event.id)


@contextlib.asynccontextmanager
async def house(clients: list[int]) -> AsyncIterator[House]:
    """Build the house, run a server on it as a user would, and clear everything away at the end.

    For each number of clients pgbench has an event of its own, as large as ours.
    """
    with embedded.throwaway() as servers:
        settings = read_settings(database_url=servers.database_url, redis_url=servers.redis_url)
        database = Database(settings)
        await database.migrate()
        places = [TierDraft("Places", Decimal(PRICE_MINOR) / 100, PLACES)]
        large = await new_event(database, None, places)
        rivals = {n: await new_event(database, None, places) for n in clients}
        arena_plan = PLANS["arena"]
        tiers = [TierDraft(name, Decimal(price), capacity) for name, price, capacity in arena_plan.tiers]
        arena = await new_event(database, plan_text(arena_plan), tiers)
        async with database.transaction() as tx:
            await tx.rows("ANALYZE seats")
        access = AccessTokens(settings)
        buyers = [uuid4() for _ in range(BUYERS)]
        tokens = {buyer: access.make(buyer, frozenset({Role.USER}), uuid4()) for buyer in buyers}
        async with rowlock(servers, seats_per_buyer_max=100_000, hold_seconds=3_600) as process:
            yield House(settings, database, servers, large, rivals, arena, tokens, process.port)
        await database.close()
