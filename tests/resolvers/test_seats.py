"""Live seat maps through a real socket: a snapshot, then every change, whoever made it."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from database import Database
from schema import ids
from settings import Settings
from steps.hold import Limits
from tests.serving import receive, serving, subscribe
from tests.world import hold, new_draft, new_event, new_user, pay

WATCH = """subscription ($e: ID!, $a: Int) { seatStatus(eventId: $e, after: $a) { __typename
    ... on SeatStatusSnapshot { revision statuses availableSeats }
    ... on SeatStatusChanges { revision availableSeats changes { revision index seatId status } } } }"""


async def update(socket: ClientConnection) -> dict[str, Any]:
    message = await receive(socket)
    assert message["type"] == "next", message
    shown: dict[str, Any] = message["payload"]["data"]["seatStatus"]
    return shown


async def changes_to(socket: ClientConnection, revision: int) -> list[tuple[int, int, str]]:
    """All changes up to a revision, however many updates they come in."""
    found: list[tuple[int, int, str]] = []
    while not found or found[-1][0] < revision:
        shown = await update(socket)
        found += [(c["revision"], c["index"], c["status"]) for c in shown["changes"]]
    return found


async def test_a_watcher_sees_holds_and_sales_without_a_hole(database: Database, settings: Settings) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    async with serving(settings) as server, server.socket() as socket:
        await subscribe(socket, WATCH, e=ids.event_id(event.id))
        assert await update(socket) == {
            "__typename": "SeatStatusSnapshot",
            "revision": 0,
            "statuses": "A" * 10,
            "availableSeats": 10,
        }
        own = server.app.state.house.database
        await pay(own, alice, await hold(own, alice, event, [0, 1]))
        assert await changes_to(socket, 4) == [(1, 0, "HELD"), (2, 1, "HELD"), (3, 0, "SOLD"), (4, 1, "SOLD")]


async def test_a_returning_watcher_gets_what_came_since(database: Database, settings: Settings) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with serving(settings) as server:
        async with server.socket() as socket:
            await subscribe(socket, WATCH, e=ids.event_id(event.id))
            await update(socket)
            await hold(server.app.state.house.database, alice, event, [3])
            await changes_to(socket, 1)
        await hold(server.app.state.house.database, alice, event, [4])
        async with server.socket() as socket:
            await subscribe(socket, WATCH, e=ids.event_id(event.id), a=0)
            assert (await changes_to(socket, 2))[:1] == [(1, 3, "HELD")]
            for number, after in enumerate((-1, 99)):
                await subscribe(socket, WATCH, id=f"other {number}", e=ids.event_id(event.id), a=after)
                assert (await update(socket))["__typename"] == "SeatStatusSnapshot"


async def test_the_end_of_a_hold_is_told(database: Database, busy: Settings) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with serving(busy) as server, server.socket() as socket:
        await subscribe(socket, WATCH, e=ids.event_id(event.id))
        await update(socket)
        brief = Limits(hold_seconds=1, seats_per_order_max=10, seats_per_buyer_max=20)
        await hold(server.app.state.house.database, alice, event, [7], limits=brief)
        assert await changes_to(socket, 2) == [(1, 7, "HELD"), (2, 7, "AVAILABLE")]


@pytest.mark.parametrize("with_bus", [True, False])
async def test_two_servers_show_each_others_changes(
    database: Database, settings: Settings, with_bus: bool
) -> None:
    event, alice = await new_event(database), await new_user(database)
    chosen = settings if with_bus else settings.model_copy(update={"redis_url": None})
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(chosen)) for _ in range(2)]
        sockets = [await stack.enter_async_context(server.socket()) for server in servers]
        for socket in sockets:
            await subscribe(socket, WATCH, e=ids.event_id(event.id))
            await update(socket)
        for number, server in enumerate(servers):
            await hold(server.app.state.house.database, alice, event, [number])
            for socket in sockets:
                assert await changes_to(socket, number + 1) == [(number + 1, number, "HELD")]


async def test_an_event_that_nobody_can_see_cannot_be_watched(database: Database, settings: Settings) -> None:
    draft, alice = await new_draft(database), await new_user(database)
    async with serving(settings) as server, server.socket(alice) as socket:
        for number, id in enumerate((ids.event_id(draft.id), ids.event_id(alice.id))):
            await subscribe(socket, WATCH, id=str(number), e=id)
            message = await receive(socket)
            assert message["type"] == "error"
            assert message["payload"][0]["extensions"]["code"] == "NOT_FOUND"
