"""Sockets and streams end with the session, and with the access token, that they were opened with."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from database import Database
from models.sessions import SessionEnd
from models.users import Role, User
from schema import ids
from settings import Settings
from steps.end_sessions import end_sessions
from steps.transact import transact
from tests.people import logged_in
from tests.resolvers.test_seats import WATCH
from tests.routes.test_graphql_events import EVENTS, events
from tests.serving import Server, receive, serving, subscribe
from tests.world import new_event, new_user

DONE = "logout { ... on LogoutPayload { success } }"
LOGOUT = f"mutation {{ {DONE} again: {DONE} }}"  # the second one takes its time after the session has ended
LOGGED_OUT = {"data": {"logout": {"success": True}, "again": {"success": True}}}


@pytest.fixture
async def brief(database: Database, settings: Settings) -> AsyncIterator[Server]:
    """A server whose access tokens are good for some seconds."""
    async with serving(settings.model_copy(update={"access_token_seconds": 3})) as server:
        yield server


def authorization(server: Server, user: User, session_id: UUID | None = None) -> dict[str, str]:
    token = server.app.state.house.tokens.make(user.id, frozenset({Role.USER}), session_id or uuid4())
    return {"Authorization": f"Bearer {token}"}


async def closed_with(socket: ClientConnection) -> tuple[int, str]:
    """The code and the reason with which the server closes a socket."""
    async with asyncio.timeout(10):
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await socket.recv()
    assert closed.value.rcvd
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def watching(server: Server, socket: ClientConnection, event_id: UUID) -> None:
    await subscribe(socket, WATCH, e=ids.event_id(event_id))
    assert (await receive(socket))["type"] == "next"


async def test_a_socket_of_an_ended_session_is_closed_and_others_stay(
    database: Database, server: Server
) -> None:
    event, alice = await new_event(database), await new_user(database)
    session, other = await logged_in(database, alice), await logged_in(database, alice)
    hello = authorization(server, alice, session.session_id)
    others = authorization(server, alice, other.session_id)
    async with server.socket(payload=hello) as socket, server.socket(payload=others) as stays:
        await watching(server, socket, event.id)
        await watching(server, stays, event.id)
        await transact(
            server.app.state.house.database,
            end_sessions,
            user_id=alice.id,
            by=SessionEnd.LOGOUT,
            only=[session.session_id],
        )
        assert await closed_with(socket) == (4401, "The session has ended; log in again.")
        await stays.send('{"type":"ping"}')
        assert await receive(stays) == {"type": "pong"}
    assert not server.app.state.house.revocations._watchers


async def test_a_socket_is_closed_when_another_process_ended_its_session(
    database: Database, server: Server
) -> None:
    alice = await new_user(database)
    session = await logged_in(database, alice)
    async with server.socket(payload=authorization(server, alice, session.session_id)) as socket:
        await transact(database, end_sessions, user_id=alice.id, by=SessionEnd.LOGOUT)
        assert (await closed_with(socket))[0] == 4401


async def test_a_logout_over_a_socket_is_answered_and_then_the_socket_is_closed(
    database: Database, server: Server
) -> None:
    event, alice = await new_event(database), await new_user(database)
    session = await logged_in(database, alice)
    async with server.socket(payload=authorization(server, alice, session.session_id)) as socket:
        await watching(server, socket, event.id)
        await subscribe(socket, LOGOUT, id="2")
        answer = await receive(socket)
        assert (answer["id"], answer["payload"]) == ("2", LOGGED_OUT)
        assert (await closed_with(socket))[0] == 4401


async def test_a_socket_is_closed_when_its_token_expires(database: Database, brief: Server) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with brief.socket(alice) as socket, brief.socket() as anonymous:
        await watching(brief, socket, event.id)
        code, reason = await closed_with(socket)
        assert (code, "expired" in reason) == (4403, True)
        await anonymous.send('{"type":"ping"}')
        assert await receive(anonymous) == {"type": "pong"}


async def test_a_token_of_an_ended_session_opens_no_socket(database: Database, server: Server) -> None:
    alice, session_id = await new_user(database), uuid4()
    server.app.state.house.revocations.tell([session_id])
    with pytest.raises(ConnectionClosed) as closed:
        async with server.socket(payload=authorization(server, alice, session_id)):
            pass
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 4401


async def stream(server: Server, query: str, headers: dict[str, str], **variables: Any) -> AsyncIterator[Any]:
    body = {"query": query, "variables": variables}
    async with (
        asyncio.timeout(10),
        server.http.stream("POST", "/graphql", json=body, headers=EVENTS | headers) as response,
    ):
        async for event in events(response.aiter_lines()):
            yield event


async def test_a_stream_of_an_ended_session_says_so_and_ends(database: Database, server: Server) -> None:
    event, alice, session_id = await new_event(database), await new_user(database), uuid4()
    told = stream(server, WATCH, authorization(server, alice, session_id), e=ids.event_id(event.id))
    assert "data" in (await anext(told))[1]
    server.app.state.house.revocations.tell([session_id])
    (_, body), end = [item async for item in told]
    assert (body["errors"][0]["extensions"]["code"], end) == ("UNAUTHORIZED", ("complete", None))


async def test_a_stream_ends_when_its_token_expires(database: Database, brief: Server) -> None:
    event, alice = await new_event(database), await new_user(database)
    told = stream(brief, WATCH, authorization(brief, alice), e=ids.event_id(event.id))
    assert "data" in (await anext(told))[1]
    (_, body), end = [item async for item in told]
    assert (body["errors"][0]["extensions"]["code"], end) == ("TOKEN_EXPIRED", ("complete", None))


async def test_a_logout_over_a_stream_is_answered(database: Database, server: Server) -> None:
    alice = await new_user(database)
    session = await logged_in(database, alice)
    headers = authorization(server, alice, session.session_id)
    answer, end = [item async for item in stream(server, LOGOUT, headers)]
    assert answer == ("next", LOGGED_OUT)
    assert end == ("complete", None)


async def test_an_expired_token_is_told_apart(database: Database, brief: Server) -> None:
    headers = authorization(brief, await new_user(database))
    body = orjson.dumps({"query": "{ __typename }"})
    deadline = time.monotonic() + 10
    while True:
        answer = await brief.http.post(
            "/graphql", content=body, headers=headers | {"content-type": "application/json"}
        )
        if answer.status_code == 401 or time.monotonic() > deadline:
            break
    assert answer.json()["errors"][0]["extensions"]["code"] == "TOKEN_EXPIRED"
