"""A real server on a free port, and a client that speaks GraphQL to it over HTTP and WebSocket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect

from app import create_app
from live.stream import Streams
from models.users import Role, User
from routes.connections import bounded
from settings import Settings

HELLO = {"type": "connection_init"}


@dataclass(frozen=True)
class Server:
    """A running server: its application and where it answers."""

    app: Starlette
    url: str
    http: httpx2.AsyncClient
    uvicorn: uvicorn.Server

    @property
    def streams(self) -> Streams:
        """The streams that watchers of seat maps share."""
        (route,) = (r for r in self.app.routes if isinstance(r, WebSocketRoute))
        streams: Streams = route.endpoint.operations.streams  # type: ignore[attr-defined]
        return streams

    @property
    def unsent_bytes(self) -> list[int]:
        """How much the server keeps for each of its connections that the network has not taken."""
        return [c.transport.get_write_buffer_size() for c in self.uvicorn.server_state.connections]  # type: ignore[union-attr]

    def token(self, user: User | None) -> str | None:
        """An access token of this person, as `login` gives it, of a session that nobody ends."""
        if user is None:
            return None
        roles = frozenset(Role(role) for role in user.roles)
        return self.app.state.house.tokens.make(user.id, roles, uuid4())

    async def post(self, query: str, user: User | None = None, **variables: Any) -> httpx2.Response:
        token = self.token(user)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"query": query, "variables": variables}
        return await self.http.post("/graphql", json=body, headers=headers)

    async def ask(self, query: str, user: User | None = None, **variables: Any) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        answer = (await self.post(query, user, **variables)).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def error(self, query: str, user: User | None = None, **variables: Any) -> dict[str, Any]:
        """The one error of an answer."""
        (error,) = (await self.post(query, user, **variables)).json()["errors"]
        return error

    @contextlib.asynccontextmanager
    async def socket(self, user: User | None = None, **hello: Any) -> AsyncIterator[ClientConnection]:
        """An open graphql-transport-ws socket that has been acknowledged."""
        token = self.token(user)
        payload = {"payload": {"Authorization": f"Bearer {token}"}} if token else {}
        url = self.url.replace("http", "ws") + "/graphql"
        async with greeted(url, **(payload | hello)) as socket:
            yield socket


@contextlib.asynccontextmanager
async def greeted(url: str, **hello: Any) -> AsyncIterator[ClientConnection]:
    """A graphql-transport-ws socket at an address, that has been acknowledged."""
    async with connect(url, subprotocols=["graphql-transport-ws"], max_size=None) as socket:  # type: ignore[list-item]
        await socket.send(orjson.dumps(HELLO | hello).decode())
        assert (await receive(socket))["type"] == "connection_ack"
        yield socket


async def receive(socket: ClientConnection) -> dict[str, Any]:
    """The next message, within 10 seconds."""
    async with asyncio.timeout(10):
        return orjson.loads(await socket.recv())


async def subscribe(socket: ClientConnection, query: str, id: str = "1", **variables: Any) -> None:
    payload = {"query": query, "variables": variables}
    await socket.send(orjson.dumps({"id": id, "type": "subscribe", "payload": payload}).decode())


@contextlib.asynccontextmanager
async def answering(app: ASGIApp, **options: Any) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    """Run an application at an address of this machine, in this event loop, until the block ends."""
    config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=2, **options)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve())
    while not server.started:
        if running.done():
            await running
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", server
    finally:
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def serving(settings: Settings, **options: Any) -> AsyncIterator[Server]:
    """Run a real server in this event loop until the block ends; `options` are uvicorn's."""
    app = create_app(settings)
    async with (
        answering(app, **bounded(settings), **options) as (url, server),
        httpx2.AsyncClient(base_url=url, timeout=20) as http,
    ):
        yield Server(app, url, http, server)
