"""GraphQL over Server-Sent Events: the graphql-sse protocol, in its mode of distinct connections."""

import asyncio
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Receive, Send

from live.stream import ClientGone
from routes.operations import Operations, Say, sending
from schema.context import Context
from schema.engine import Asked

HEARTBEAT_SECONDS = 12
HEARTBEAT: dict[str, Any] = {"type": "http.response.body", "body": b":\n\n", "more_body": True}
"""Said now and then, so that nobody on the way takes the silence for an end."""
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept"),
    (b"x-accel-buffering", b"no"),
]


class GraphQLEvents:
    """One operation's results, as events of one response."""

    def __init__(self, operations: Operations, context: Context, asked: Asked) -> None:
        self._operations = operations
        self._context = context
        self._asked = asked

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Send until the operation has ended or the client has gone."""
        say = sending(send)
        await say({"type": "http.response.start", "status": 200, "headers": HEADERS})
        work = asyncio.create_task(self._run(say, send))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            while not await _is_one_done(work, gone):
                await say(HEARTBEAT)
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

    async def _run(self, say: Say, send: Send) -> None:
        async def send_next(payload: str) -> None:
            body = f"event: next\ndata: {payload}\n\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})

        with suppress(ClientGone):
            errors = await self._operations.run(self._asked, self._context, send_next)
            if errors:
                body = {"errors": [error.formatted for error in errors]}
                await send_next(orjson.dumps(body).decode())
            await say({"type": "http.response.body", "body": b"event: complete\ndata:\n\n"})


async def _is_one_done(*tasks: "asyncio.Task[None]") -> bool:
    done, _ = await asyncio.wait(tasks, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
