"""Watchers of seats for tests, with a sharp eye for what is missing, and changes for them to read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from database import Database
from jobs.relay import number_changes_once
from live.bus import Bus
from live.hub import Hub
from live.updates import Snapshot, Update
from tests.seat_rows import (
    change,
)


@dataclass
class Client:
    """What somebody does with the updates: a map of its own, and a sharp eye for what is missing."""

    revision: int | None = None
    statuses: list[str] = field(default_factory=list)
    snapshots: int = 0

    def take(self, update: Update) -> None:
        if isinstance(update, Snapshot):
            self.snapshots += 1
            self.statuses = list(update.statuses)
        else:
            assert self.revision is not None
            revisions = [change.revision for change in update.changes]
            assert revisions == list(range(self.revision + 1, update.revision + 1))
            for each in update.changes:
                self.statuses[each.index] = each.status
        assert update.available == self.statuses.count("A")
        self.revision = update.revision

    async def follow(self, updates: AsyncIterator[Update], until_revision: int) -> None:
        """Read until the map is at this revision."""
        async with asyncio.timeout(30):
            while self.revision is None or self.revision < until_revision:
                self.take(await anext(updates))

    @property
    def map(self) -> str:
        return "".join(self.statuses)


@asynccontextmanager
async def running(database: Database, url: str | None) -> AsyncIterator[tuple[Hub, Bus]]:
    """A process: a bus and a hub."""
    bus = Bus(url)
    await bus.start()
    hub = Hub(database, bus)
    await hub.start()
    try:
        yield hub, bus
    finally:
        await hub.stop()
        await bus.stop()


async def next_of(updates: AsyncIterator[Update]) -> Update:
    async with asyncio.timeout(30):
        return await anext(updates)


async def rest_of(updates: AsyncIterator[Update]) -> list[Update]:
    async with asyncio.timeout(30):
        return [update async for update in updates]


async def first_of(hub: Hub, event_id: UUID) -> Update:
    async with hub.watch(event_id) as updates:
        return await next_of(updates)


async def changed(database: Database, bus: Bus, event_id: UUID, *changes: tuple[int, str]) -> None:
    """Make these changes one by one, each numbered and told at once."""
    for index, status in changes:
        await change(database, event_id, [index], status)
        await number_changes_once(database, bus, {event_id})
