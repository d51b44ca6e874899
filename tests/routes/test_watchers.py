"""Many watchers, and some that do not behave: each costs little, and none of them is another's trouble."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

import live.hub
from bench import live_watcher as clients
from bench.live_rounds import WATCH, events_watcher, socket_watcher
from bench.live_watcher import Board
from database import Database
from live.stream import FIRST_PAYLOADS_KEPT_MAX, UPDATES_BEHIND_MAX
from models.catalogue import Event
from routes.graphql_socket import PROTOCOL
from schema import ids
from settings import Settings
from tests.resolvers.test_seats import WATCH as WATCH_AFTER
from tests.resolvers.test_seats import changes_to
from tests.serving import Server, receive, serving, subscribe
from tests.world import hold, new_event, new_user, priced

SEATS, ROUNDS = 1_000, 40
STALLED_BYTES_MAX = 400_000
WATCHERS, WATCHERS_AT_ONCE = 1_000, 250
RESET_WHEN_CLOSED = struct.pack("ii", 1, 0)

CHANGE_ALL = """
    WITH changed AS (
        UPDATE seats SET version = version + 1 WHERE event_id = $1 RETURNING event_id, index, version, status
    )
    INSERT INTO seat_changes (event_id, index, version, status) SELECT * FROM changed"""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def quick(database: Database, settings: Settings) -> AsyncIterator[Server]:
    """A server that tells every change at once, and has patience with who answers no ping."""
    told_at_once = settings.model_copy(update={"frame_milliseconds": 0})
    async with serving(told_at_once, ws_ping_interval=None) as server:
        yield server


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


async def change_all(server: Server, event: Event) -> None:
    async with server.app.state.house.database.transaction() as tx:
        await tx.rows(CHANGE_ALL, event.id)
        tx.changed_events.add(event.id)


async def stalled(server: Server, event: Event, protocol: str) -> socket.socket:
    """A client that asks to watch, with next to no room for the answer, and does not read it."""
    loop, client = asyncio.get_running_loop(), socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.setblocking(False)
    await loop.sock_connect(client, ("127.0.0.1", port_of(server)))
    if protocol == "SSE":
        await loop.sock_sendall(client, clients.event_stream("/graphql", WATCH, ids.event_id(event.id)))
    else:
        await loop.sock_sendall(client, clients.upgrade("/graphql", PROTOCOL))
        assert b" 101 " in await loop.sock_recv(client, 4_096)
        await loop.sock_sendall(client, clients.subscription(WATCH, ids.event_id(event.id)))
    return client


@pytest.mark.parametrize("protocol", ["WebSocket", "SSE"])
async def test_a_client_that_stops_reading_costs_bounded_memory_and_harms_nobody(
    database: Database, quick: Server, protocol: str
) -> None:
    event = await new_event(database, await priced(rows=10, seats_a_row=SEATS // 10))
    client = await stalled(quick, event, protocol)
    await until(lambda: len(quick.streams) == 1)
    async with quick.socket() as reader:
        await subscribe(reader, WATCH, e=ids.event_id(event.id))
        assert (await receive(reader))["type"] == "next"
        for number in range(1, ROUNDS + 1):
            await change_all(quick, event)
            shown: dict[str, int] = {}
            while shown.get("revision") != number * SEATS:
                shown = (await receive(reader))["payload"]["data"]["seatStatus"]
            assert max(quick.unsent_bytes) < STALLED_BYTES_MAX
        (stream,) = quick.streams._streams.values()
        assert sum(watcher.sending is not None for watcher in stream.watchers) == 1
        assert len(stream._payloads) <= UPDATES_BEHIND_MAX
        assert len(stream._firsts) <= FIRST_PAYLOADS_KEPT_MAX
    heard = b""
    async with asyncio.timeout(20):
        while f'"revision":{ROUNDS * SEATS},'.encode() not in heard:
            heard += await asyncio.get_running_loop().sock_recv(client, 65_536)
    assert heard.count(b"SeatStatusSnapshot") == 2, "it began with a snapshot, and goes on with one"
    client.close()
    await until(lambda: len(quick.streams) == 0)


async def test_a_thousand_abrupt_closes_leave_nothing_behind(
    database: Database, quick: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.hub, "LINGER_SECONDS", 0)
    event, house = await new_event(database), quick.app.state.house
    bus = quick.app.state.bus
    tasks, subscriptions = asyncio.all_tasks(), set(bus._subscriptions)
    left = 0
    while left < WATCHERS:
        board = Board(clients.revision_of)
        makers = [partial(make, board, event.id) for make in (socket_watcher, events_watcher)]
        connected = [
            await clients.connect(port_of(quick), WATCHERS_AT_ONCE // len(makers), make) for make in makers
        ]
        transports = [transport for some in connected for transport in some]
        await board.until_all_have(0, len(transports))
        for transport in transports:
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, RESET_WHEN_CLOSED
            )
            transport.abort()
        left += len(transports)
    await until(lambda: len(quick.streams) == 0 and house.hub.watched_events == 0)
    await until(lambda: asyncio.all_tasks() <= tasks)
    await until(lambda: not quick.uvicorn.server_state.connections)
    assert bus._subscriptions == subscriptions


async def test_those_who_ask_the_same_share_a_stream_and_others_have_their_own(
    database: Database, quick: Server
) -> None:
    event, other = await new_event(database), await new_event(database)
    alice, e = await new_user(database), ids.event_id(event.id)
    async with quick.socket() as one, quick.socket() as two, quick.socket(alice) as three:
        for socket_ in (one, two, three):
            await subscribe(socket_, WATCH, e=e)
            await receive(socket_)
        assert len(quick.streams) == 1
        await subscribe(two, WATCH.replace("availableSeats", "free: availableSeats"), id="2", e=e)
        await receive(two)
        assert len(quick.streams) == 2
        await subscribe(one, WATCH, id="2", e=ids.event_id(other.id))
        await receive(one)
        assert len(quick.streams) == 3
        await hold(quick.app.state.house.database, alice, event, [0])
        told = [(await receive(socket_))["payload"] for socket_ in (one, three)]
        assert told[0] == told[1]


async def test_what_one_server_told_another_goes_on_from(database: Database, settings: Settings) -> None:
    event, alice = await new_event(database), await new_user(database)
    e = ids.event_id(event.id)
    async with serving(settings) as here, serving(settings) as there:
        async with here.socket() as one, there.socket() as two:
            for socket_ in (one, two):
                await subscribe(socket_, WATCH_AFTER, e=e)
                await receive(socket_)
            await hold(here.app.state.house.database, alice, event, [0])
            told = [(await receive(socket_))["payload"] for socket_ in (one, two)]
            assert told[0] == told[1]
        await hold(there.app.state.house.database, alice, event, [1])
        async with here.socket() as back:
            await until(lambda: here.app.state.house.hub.watched_events == 1)
            await subscribe(back, WATCH_AFTER, e=e, a=1)
            assert await changes_to(back, 2) == [(2, 1, "HELD")]
