"""What the clients of others need: themselves, and a server that shares its documents with no other."""

from collections.abc import AsyncIterator

import pytest

from database import Database
from settings import Settings
from tests.clients.programs import why_not
from tests.serving import Server, serving


@pytest.fixture(scope="session", autouse=True)
def clients() -> None:
    """The clients, installed and compiled; without npm or a network these tests are skipped."""
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture
async def server(database: Database, settings: Settings) -> AsyncIterator[Server]:
    async with serving(settings.model_copy(update={"redis_url": None})) as running:
        yield running
