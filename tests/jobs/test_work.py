"""A worker of its own does what servers leave to it, and every map sees it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from database import Database
from schema import ids
from settings import Settings
from steps.hold import Limits
from tests.resolvers.test_seats import WATCH, changes_to, update
from tests.serving import serving, subscribe
from tests.world import hold, new_event, new_user

ROOT = Path(__file__).parent.parent.parent


async def test_a_worker_ends_holds_and_the_servers_watchers_see_it(
    database: Database, settings: Settings
) -> None:
    event, alice = await new_event(database), await new_user(database)
    assert settings.database_url
    assert settings.redis_url
    environment = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "cli.py"),
        "worker",
        cwd=ROOT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with serving(settings) as server, server.socket() as socket:
        await subscribe(socket, WATCH, e=ids.event_id(event.id))
        await update(socket)
        brief = Limits(hold_seconds=1, seats_per_order_max=10, seats_per_buyer_max=20)
        await hold(server.app.state.house.database, alice, event, [7], limits=brief)
        assert await changes_to(socket, 2) == [(1, 7, "HELD"), (2, 7, "AVAILABLE")]
    worker.send_signal(signal.SIGINT)
    assert await worker.wait() == 0
