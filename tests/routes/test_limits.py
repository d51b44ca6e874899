"""How much a client may send, and how long it may take: each limit where it holds, and one beyond."""

import asyncio
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from database import Database
from models.users import Role
from routes import connections
from schema import ids
from settings import Settings
from tests.resolvers.test_seats import WATCH
from tests.serving import Server, greeted, receive, serving, subscribe
from tests.world import everything, new_event, new_hall, new_user, plan_text, until_somebody_waits

JSON = {"content-type": "application/json"}
CREATE = """mutation ($input: CreateEventInput!) { createEvent(input: $input) {
    ... on EventPayload { event { totalSeats } } ... on Refusal { code message } } }"""
RENAME = """mutation { updateUser(input: {fullName: "Other"}) {
    ... on UserPayload { user { fullName } } ... on Refusal { code } } }"""
PROTOCOLS: Any = ["graphql-transport-ws"]


def body_of(length: int) -> bytes:
    """A request of exactly so many bytes."""
    request = b'{"query": "{ __typename }", "more": ""}'
    return request.replace(b'""', b'"' + b"x" * (length - len(request)) + b'"')


async def raw(server: Server, *sent: bytes) -> bytes:
    """What the server says to these bytes until it closes the connection, within 20 seconds."""
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        try:
            for part in sent:
                writer.write(part)
                await writer.drain()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


async def test_a_body_has_its_bytes_and_more_for_those_who_run_events(
    settings: Settings, database: Database
) -> None:
    small = settings.model_copy(update={"body_bytes_max": 2_000, "operator_body_bytes_max": 4_000})
    buyer, operator = await new_user(database), await new_user(database, Role.OPERATOR)
    async with serving(small) as server:
        for user, limit in ((None, 2_000), (buyer, 2_000), (operator, 4_000)):
            token = server.token(user)
            headers = JSON | ({"authorization": f"Bearer {token}"} if token else {})
            held = await server.http.post("/graphql", content=body_of(limit), headers=headers)
            assert held.json() == {"data": {"__typename": "Query"}}
            beyond = await server.http.post("/graphql", content=body_of(limit + 1), headers=headers)
            assert beyond.status_code == 413
            assert beyond.json()["errors"][0]["extensions"] == {"code": "VALIDATION_ERROR", "limit": limit}


async def test_a_body_is_refused_by_its_length_and_by_its_token_before_it_is_sent(server: Server) -> None:
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
    assert b" 413 " in await raw(server, head + b"content-length: 99999999\r\n\r\n")
    token = b"authorization: Bearer x\r\n"
    assert b" 401 " in await raw(server, head + token + b"content-length: 9\r\n\r\n")


async def test_a_body_without_a_length_is_cut(server: Server) -> None:
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    said = await raw(server, head + b"transfer-encoding: chunked\r\n\r\n", chunk, chunk, b"1\r\n \r\n")
    assert b" 413 " in said


async def test_a_body_that_takes_too_long_is_given_up(settings: Settings, database: Database) -> None:
    async with serving(settings.model_copy(update={"body_seconds_max": 0.1})) as server:
        head = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        said = await raw(server, head + b"content-length: 9\r\n\r\n{")
        assert b" 408 " in said
        assert b'"limit":0.1' in said


async def test_a_compressed_body_is_refused(server: Server) -> None:
    packed = JSON | {"content-encoding": "gzip"}
    assert (await server.http.post("/graphql", content=b"x", headers=packed)).status_code == 415


async def test_a_plan_of_18000_seats_fits(database: Database, server: Server) -> None:
    operator = await new_user(database, Role.OPERATOR)
    given = {
        "name": "Arena",
        "hallId": ids.hall_id(await new_hall(database)),
        "startsAt": "2031-05-01T20:00:00Z",
        "endsAt": "2031-05-01T22:00:00Z",
        "currency": "EUR",
        "tiers": [{"name": "Stalls", "price": "10.00"}],
        "seatPlan": plan_text(100, 180),
    }
    made = await server.ask(CREATE, operator, input=given)
    assert made == {"createEvent": {"event": {"totalSeats": 18_000}}}


@pytest.mark.parametrize("sent", [b"", b"POST /graphql HTTP/1.1\r\nhost: x\r\nx-slow: "])
async def test_a_silent_or_slow_client_is_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", 0.05)
    assert await raw(server, sent) == b""


async def test_a_head_has_a_bounded_size(server: Server) -> None:
    line = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    assert b" 200 " in await raw(server, line, b"x-long: " + b"x" * 60_000 + b"\r\n\r\n")
    more = [b"x-long: " + b"x" * 60_000 + b"\r\n"] * 20  # much more than is read at once
    assert await raw(server, line, *more, b"\r\n") == b""
    assert await raw(server, b"GET /", *[b"x" * 60_000] * 20, b" HTTP/1.1\r\nhost: x\r\n\r\n") == b""


async def test_a_second_request_on_a_connection_is_bounded_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b" 200 " in await reader.readuntil(b"}}")
        monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", 0.05)
        writer.write(b"GET /health HTTP/1.1\r\nx-slow: ")
        assert await reader.read() == b""
        writer.close()


async def test_a_message_of_a_socket_has_a_bounded_size(server: Server) -> None:
    async with server.socket() as socket:
        message = {"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }", "more": ""}}
        room = 64 * 1024 - len(orjson.dumps(message))
        for length in (room, room + 1):
            message["payload"] = {"query": "{ __typename }", "more": "x" * length}
            await socket.send(orjson.dumps(message).decode())
            if length == room:
                assert (await receive(socket))["type"] == "next"
                assert (await receive(socket))["type"] == "complete"
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1009


async def test_a_socket_that_does_not_say_hello_is_closed(settings: Settings, database: Database) -> None:
    assert settings.hello_seconds_max == 5
    async with serving(settings.model_copy(update={"hello_seconds_max": 0.05})) as server:
        socket = await connect(server.url.replace("http", "ws") + "/graphql", subprotocols=PROTOCOLS)
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 4408


async def test_a_socket_has_a_number_of_operations(settings: Settings, database: Database) -> None:
    event = await new_event(database)
    few = settings.model_copy(update={"socket_operations_max": 2})
    async with serving(few) as server, server.socket() as socket:
        for number in range(2):
            await subscribe(socket, WATCH, id=str(number), e=ids.event_id(event.id))
            assert (await receive(socket))["type"] == "next"
        await subscribe(socket, WATCH, id="one too many", e=ids.event_id(event.id))
        refused = await receive(socket)
        assert (refused["id"], refused["type"]) == ("one too many", "error")
        assert refused["payload"][0]["extensions"] == {"code": "VALIDATION_ERROR", "limit": 2}


async def test_an_address_has_a_number_of_sockets(settings: Settings, database: Database) -> None:
    async with serving(settings.model_copy(update={"sockets_per_address_max": 2})) as server:
        url = server.url.replace("http", "ws") + "/graphql"
        async with greeted(url):
            async with greeted(url):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(url, subprotocols=PROTOCOLS)
                assert refused.value.response.status_code == 429
                (error,) = orjson.loads(refused.value.response.body)["errors"]
                assert error["extensions"] == {"code": "RATE_LIMITED", "limit": 2}
            async with asyncio.timeout(10):
                while True:  # until the server has seen that one is gone
                    try:
                        async with greeted(url):
                            break
                    except InvalidStatus:
                        await asyncio.sleep(0)


async def test_an_operation_that_takes_too_long_is_rolled_back_and_leaves_its_connection_usable(
    settings: Settings, database: Database
) -> None:
    changes = {"operation_seconds_max": 0.3, "lock_timeout_ms": 60_000, "database_pool_size": 1}
    alice = await new_user(database)
    before = await everything(database)
    async with serving(settings.model_copy(update=changes)) as server:
        for _ in range(3):  # more often than there are connections
            async with database.transaction() as tx:
                await tx.rows("SELECT FROM users WHERE id = $1 FOR UPDATE", alice.id)
                asked = asyncio.create_task(server.post(RENAME, alice))
                await until_somebody_waits(database)
                answer = await asked
            (error,) = answer.json()["errors"]
            assert error["extensions"] == {"code": "SERVICE_UNAVAILABLE", "limit": 0.3}
            assert "data" not in answer.json()
        assert await everything(database) == before
        async with asyncio.timeout(20):
            while "errors" in (answer := (await server.post(RENAME, alice)).json()):
                pass  # the machine was too slow
        assert answer["data"]["updateUser"] == {"user": {"fullName": "Other"}}


async def test_an_operation_that_takes_too_long_over_a_socket_ends_alone(
    settings: Settings, database: Database
) -> None:
    changes = {"operation_seconds_max": 0.3, "lock_timeout_ms": 60_000}
    alice = await new_user(database)
    async with serving(settings.model_copy(update=changes)) as server, server.socket(alice) as socket:
        async with database.transaction() as tx:
            await tx.rows("SELECT FROM users WHERE id = $1 FOR UPDATE", alice.id)
            await subscribe(socket, RENAME)
            ended = await receive(socket)
        assert ended["payload"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        await subscribe(socket, "{ __typename }")
        assert (await receive(socket))["payload"] == {"data": {"__typename": "Query"}}
