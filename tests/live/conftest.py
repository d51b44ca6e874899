"""What the live part is tested with: a bus within this process, and a hub on it."""

from collections.abc import AsyncIterator

import pytest

import live.hub
from database import Database
from live.bus import Bus
from live.hub import Hub


@pytest.fixture
async def bus() -> AsyncIterator[Bus]:
    """A bus within this process."""
    bus = Bus(None)
    await bus.start()
    yield bus
    await bus.stop()


@pytest.fixture
def never_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for before the hub, it leaves only the bus to tell of changes."""
    monkeypatch.setattr(live.hub, "POLL_SECONDS", 3_600)


@pytest.fixture
async def hub(database: Database, bus: Bus) -> AsyncIterator[Hub]:
    hub = Hub(database, bus)
    await hub.start()
    yield hub
    await hub.stop()
