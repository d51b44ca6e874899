"""graphql-transport-ws, to the letter: garbage closes the socket with a reason and nothing breaks."""

import asyncio
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from database import Database
from settings import Settings
from tests.serving import Server, receive, serving, subscribe
from tests.world import new_user

INIT = {"type": "connection_init"}
ASK = {"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"}}


async def closing(server: Server, *messages: Any) -> tuple[int, str]:
    """The code and reason that the server closes a socket with after these messages."""
    url = server.url.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
        for message in messages:
            await socket.send(message if isinstance(message, str | bytes) else orjson.dumps(message).decode())
        async with asyncio.timeout(10):
            try:
                while True:
                    await socket.recv()
            except ConnectionClosed as closed:
                assert closed.rcvd is not None
                return closed.rcvd.code, closed.rcvd.reason


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["no json"], 4400),
        ([b"{}"], 4400),
        (["[]"], 4400),
        (["1"], 4400),
        (["[" * 20_000], 4400),
        ([{}], 4400),
        ([{"type": 7}], 4400),
        ([INIT, {"type": "nonsense"}], 4400),
        ([{"type": "connection_init", "payload": 3}], 4400),
        ([INIT, INIT], 4429),
        ([ASK], 4401),
        ([INIT, {"type": "subscribe", "payload": {"query": "{ a }"}}], 4400),
        ([INIT, {"id": "1", "type": "subscribe"}], 4400),
        ([INIT, {"id": "1", "type": "subscribe", "payload": {"query": ""}}], 4400),
        ([INIT, {"type": "complete"}], 4400),
        ([{"type": "connection_init", "payload": {"Authorization": "Bearer x"}}], 4403),
        ([{"type": "connection_init", "payload": {"Authorization": 7}}], 4403),
    ],
)
async def test_garbage_closes_the_socket(server: Server, messages: list[Any], code: int) -> None:
    assert (await closing(server, *messages))[0] == code


async def test_an_id_can_be_used_once_at_a_time(database: Database, server: Server) -> None:
    slow = {"id": "1", "type": "subscribe", "payload": {"query": "{ eventCategories }"}}
    code, reason = await closing(server, INIT, slow, slow)
    assert (code, reason) == (4409, "Subscriber for 1 already exists")


async def test_queries_mutations_and_errors_over_a_socket(database: Database, server: Server) -> None:
    alice = await new_user(database)
    async with server.socket(alice) as socket:
        await socket.send('{"type":"ping"}')
        assert await receive(socket) == {"type": "pong"}
        await socket.send('{"type":"pong"}')
        await subscribe(socket, "{ viewer { email } }")
        assert (await receive(socket))["payload"] == {"data": {"viewer": {"email": alice.email}}}
        assert await receive(socket) == {"id": "1", "type": "complete"}
        await subscribe(socket, "{ nope }")
        error = await receive(socket)
        assert (error["type"], error["payload"][0]["extensions"]["code"]) == ("error", "VALIDATION_ERROR")
        await subscribe(socket, "{")
        assert (await receive(socket))["type"] == "error"
        await subscribe(socket, "query A { a: __typename } query B { b: __typename }")
        assert (await receive(socket))["type"] == "error"
        await subscribe(socket, '{ node(id: "x") { id } }')
        assert (await receive(socket))["payload"]["errors"][0]["extensions"]["code"] == "INVALID_ID"
        assert (await receive(socket))["type"] == "complete"
        await socket.send('{"id":"never","type":"complete"}')
        await subscribe(socket, "{ __typename }")
        assert (await receive(socket))["payload"] == {"data": {"__typename": "Query"}}


async def test_other_protocols_and_origins_are_refused(settings: Settings, database: Database) -> None:
    allowed = settings.model_copy(update={"allowed_origins": ["https://tickets.example.com"]})
    async with serving(allowed) as server:
        url = server.url.replace("http", "ws") + "/graphql"
        async with connect(url, subprotocols=["graphql-ws"]) as socket:  # type: ignore[list-item]
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4406
        ours: Any = ["graphql-transport-ws"]
        with pytest.raises(InvalidStatus):
            await connect(url, subprotocols=ours, origin="https://evil.example.com")  # type: ignore[arg-type]
        for origin in ("https://tickets.example.com", server.url):
            async with connect(url, subprotocols=ours, origin=origin):  # type: ignore[arg-type]
                pass


async def test_a_socket_has_a_bounded_number_of_operations(database: Database, server: Server) -> None:
    from schema import ids
    from tests.resolvers.test_seats import WATCH
    from tests.world import new_event

    event = await new_event(database)
    async with server.socket() as socket:
        for number in range(100):
            await subscribe(socket, WATCH, id=str(number), e=ids.event_id(event.id))
            assert (await receive(socket))["type"] == "next"
        await subscribe(socket, WATCH, id="one too many", e=ids.event_id(event.id))
        refused = await receive(socket)
        assert (refused["id"], refused["type"]) == ("one too many", "error")
