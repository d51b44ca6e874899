"""GraphQL over Server-Sent Events: the graphql-sse protocol, in its mode of distinct connections."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.responses import Response
from starlette.types import Receive, Send

from live.stream import ClientGone
from observing.current import observed
from routes.operations import Operations, sending
from routes.staying import StayOver, staying
from schema.context import Context
from schema.engine import Asked

HEARTBEAT_SECONDS = 12
HEARTBEAT: dict[str, Any] = {"type": "http.response.body", "body": b":\n\n", "more_body": True}
"""Said now and then, so that nobody on the way takes the silence for an end."""
COMPLETE = b"event: complete\ndata:\n\n"
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
        """Send until the operation has ended, or the client has gone or has to go."""
        say, observed().transport = sending(send), "sse"
        await say({"type": "http.response.start", "status": 200, "headers": HEADERS})
        try:
            async with staying(self._context.house.revocations) as stay:
                if self._operations.is_lasting(self._asked):
                    stay.begin(self._context.viewer)
                await self._serve(receive, send)
        except StayOver as over:
            observed().failed([over.error])
            with suppress(ClientGone):
                await self._end([over.error], send)

    async def _serve(self, receive: Receive, send: Send) -> None:
        say = sending(send)
        work = asyncio.create_task(self._run(send))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            while not await _is_one_done(work, gone):
                await say(HEARTBEAT)
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

    async def _run(self, send: Send) -> None:
        with suppress(ClientGone):
            errors = await self._operations.run(self._asked, self._context, partial(_send_next, send))
            await self._end(errors, send)

    async def _end(self, errors: Sequence[GraphQLError], send: Send) -> None:
        """Say what kept the operation from starting or going on, if anything did, and that it is complete."""
        say = sending(send)
        if errors:
            await say(_next(orjson.dumps({"errors": [error.formatted for error in errors]})))
        await say({"type": "http.response.body", "body": COMPLETE})


def in_event(error: GraphQLError) -> Response:
    """An answer that says in its one event what is wrong."""
    body = _next(orjson.dumps({"errors": [error.formatted]}))["body"] + COMPLETE
    return Response(body, headers={name.decode(): value.decode() for name, value in HEADERS})


async def _send_next(send: Send, payload: bytes) -> None:
    await send(_next(payload))


def _next(payload: bytes) -> dict[str, Any]:
    body = b"event: next\ndata: %b\n\n" % payload
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _is_one_done(*tasks: "asyncio.Task[None]") -> bool:
    done, _ = await asyncio.wait(tasks, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
