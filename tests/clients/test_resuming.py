"""Watchers of every client go on where they were, when the server dies, and when it ends in good order."""

import signal
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

from auth.tokens import AccessTokens
from database import Database
from models.users import Role
from schema import ids
from settings import Settings
from tests.clients.killable import Killable
from tests.clients.programs import running
from tests.clients.test_clients import WATCH, WATCHERS, revisions
from tests.world import hold, new_event, new_user


async def test_no_client_misses_a_change_or_gets_one_twice_while_the_server_is_gone(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    event, alice = await new_event(database), await new_user(database)
    token = AccessTokens(settings).make(alice.id, frozenset({Role.USER}), uuid4())
    server = Killable(settings, tmp_path)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.end, signal.SIGKILL)
        await server.start()
        programs = [await stack.enter_async_context(running(c, server.url, token)) for c in WATCHERS]
        watchers = [(p, await p.watch(WATCH, event=ids.event_id(event.id))) for p in programs]
        for program, watch in watchers:
            assert (await program.next(watch))["data"]["seatStatus"]["statuses"] == "A" * 10
        await hold(database, alice, event, [0])
        assert [await revisions(*watcher, 1) for watcher in watchers] == [[1]] * len(WATCHERS)
        for way, last in ((signal.SIGKILL, 2), (signal.SIGTERM, 4)):
            await server.end(way)
            await hold(database, alice, event, [last])
            await server.start()
            assert [await revisions(*watcher, last) for watcher in watchers] == [[last]] * len(WATCHERS)
            await hold(database, alice, event, [last + 1])
            assert [await revisions(*watcher, last + 1) for watcher in watchers] == [[last + 1]] * len(
                WATCHERS
            )
