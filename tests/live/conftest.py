"""What the live part is tested with: a Valkey to kill, and a bus within this process."""

from collections.abc import AsyncIterator

import pytest

from live.bus import Bus
from tests.live.valkey import Valkey


@pytest.fixture
async def valkey() -> AsyncIterator[Valkey]:
    server = Valkey()
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
async def bus() -> AsyncIterator[Bus]:
    """A bus within this process."""
    bus = Bus(None)
    await bus.start()
    yield bus
    await bus.stop()
