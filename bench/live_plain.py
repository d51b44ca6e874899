"""A broadcast as Starlette's users write it: the other party of the live bench.

Whatever is told on the bus channel goes to every WebSocket on `/ws` and every event stream on `/sse`.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

CHANNEL = "plain"

sockets: set[WebSocket] = set()
queues: set[asyncio.Queue[str]] = set()
last = [""]


async def broadcast() -> None:
    async with Redis.from_url(os.environ["REDIS_URL"]).pubsub() as bus:
        await bus.subscribe(CHANNEL)
        async for message in bus.listen():
            if message["type"] == "message":
                last[0] = message["data"].decode()
                for socket in tuple(sockets):
                    await socket.send_text(last[0])
                for queue in queues:
                    queue.put_nowait(last[0])


async def watch(socket: WebSocket) -> None:
    await socket.accept()
    if last[0]:
        await socket.send_text(last[0])
    sockets.add(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        sockets.discard(socket)


async def events(request: Request) -> StreamingResponse:
    queue: asyncio.Queue[str] = asyncio.Queue()

    async def told() -> AsyncIterator[str]:
        queues.add(queue)
        try:
            yield f"event: next\ndata: {last[0]}\n\n"
            while True:
                yield f"event: next\ndata: {await queue.get()}\n\n"
        finally:
            queues.discard(queue)

    return StreamingResponse(told(), media_type="text/event-stream")


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    task = asyncio.create_task(broadcast())
    yield
    task.cancel()


def create_app() -> Starlette:
    routes = [WebSocketRoute("/ws", watch), Route("/sse", events, methods=["GET", "POST"])]
    return Starlette(routes=routes, lifespan=lifespan)
