"""GraphQL over WebSocket: the graphql-transport-ws protocol, strictly.

Garbage closes the socket with a reason; a document that is wrong ends its own operation only.
"""

import asyncio
from contextlib import suppress
from typing import Any

import orjson
from graphql import GraphQLError, OperationType
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.revocations import SessionEnded
from auth.tokens import CannotTell, TokenRefused
from live.stream import ClientGone
from observing.current import observed
from observing.ending import operation_on
from routes.frames import text_writer
from routes.graphql_request import problem_of
from routes.operations import Operations, sending
from routes.staying import StayOver, staying
from schema.context import Context
from schema.engine import Asked
from schema.errors import RequestError

PROTOCOL = "graphql-transport-ws"
GOODBYE_SECONDS_MAX = 5
ALLOWED = frozenset(OperationType)
OWN_SEND = "rowlock.send"

Message = dict[str, Any]


class SocketsOwnSend:
    """Keeps the server's own `send` with a socket: what is put around it would cost each frame a call."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            scope[OWN_SEND] = send
        await self._app(scope, receive, send)


def own_send(scope: Scope, send: Send) -> Send:
    """The `send` that was kept, or else this one."""
    kept: Send = scope.get(OWN_SEND, send)
    return kept


class SocketClosed(Exception):
    """The socket is to be closed, with a code of the protocol and a reason of at most 123 bytes."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class GraphQLSocket:
    """One client's socket and the operations that run on it."""

    def __init__(self, operations: Operations, context: Context, receive: Receive, send: Send) -> None:
        self._is_lasting = operations.is_lasting
        self._run_operation = operations.run
        self._documents = operations.documents
        self._context = context
        self._settings = context.house.settings
        self._receive = receive
        self._server_send = send
        self._send = sending(send)
        self._is_welcome = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: dict[asyncio.Task[None], Asked] = {}

    async def serve(self) -> None:
        """Answer until the client goes or has to; then end its operations.

        It has to go with its session, and with its access token: 4403 says that another lets it come back.
        """
        try:
            async with staying(self._context.house.revocations) as self._stay:
                await self._converse()
        except StayOver as over:
            await self._let_answer()
            await self._close(4403 if over.expired else 4401, str(over))
        except SocketClosed as closed:
            await self._close(closed.code, str(closed))
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _let_answer(self) -> None:
        """End the subscriptions, and give what is being answered a moment: it may be the logout itself."""
        for task, asked in self._tasks.items():
            if self._is_lasting(asked):
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GOODBYE_SECONDS_MAX)

    async def _close(self, code: int, reason: str) -> None:
        observed().code = code
        with suppress(ClientGone):
            await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def _converse(self) -> None:
        try:
            async with asyncio.timeout(self._settings.hello_seconds_max):
                message = await self._next()
                if message is not None:
                    await self._act(message)
        except TimeoutError:
            raise SocketClosed(4408, "Connection initialisation timeout") from None
        while message is not None:
            message = await self._next()
            if message is not None:
                await self._act(message)

    async def _next(self) -> Message | None:
        """The client's next message, or None when it has gone."""
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            return None
        text = event.get("text")
        if text is None:
            raise SocketClosed(4400, "A message is text")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise SocketClosed(4400, "A message is JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise SocketClosed(4400, "A message is an object with a `type`")
        return message

    async def _act(self, message: Message) -> None:
        match message["type"]:
            case "connection_init":
                await self._welcome(message.get("payload"))
            case "ping":
                await self._say({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                await self._begin(message)
            case "complete":
                await self._end(_id_of(message))
            case _:
                raise SocketClosed(4400, "Messages of this `type` are not known")

    async def _welcome(self, payload: object) -> None:
        if self._is_welcome:
            raise SocketClosed(4429, "Too many initialisation requests")
        if not isinstance(payload, dict | None):
            raise SocketClosed(4400, "The payload of connection_init is an object")
        said = payload or {}
        authorization = said.get("Authorization", said.get("authorization"))
        try:
            await self._context.recognize(authorization)
        except SessionEnded as ended:
            raise SocketClosed(4401, str(ended)) from None
        except TokenRefused:
            raise SocketClosed(4403, "Forbidden") from None
        except CannotTell:
            raise SocketClosed(1013, "Try again later") from None
        self._stay.begin(self._context.viewer)
        self._is_welcome = True
        await self._say({"type": "connection_ack"})

    async def _begin(self, message: Message) -> None:
        id = _id_of(message)
        if not self._is_welcome:
            raise SocketClosed(4401, "Unauthorized")
        if id in self._operations:
            raise SocketClosed(4409, f"Subscriber for {id[:60]} already exists")
        try:
            said = await self._documents.with_text(message.get("payload"))
        except RequestError as error:
            await self._say({"id": id, "type": "error", "payload": [error.formatted]})
            return
        problem = problem_of(said)
        if problem:
            raise SocketClosed(4400, problem)
        asked = Asked(said["query"], said.get("variables"), said.get("operationName"), ALLOWED)
        limit = self._settings.socket_operations_max
        if len(self._tasks) == limit:  # the client has to hear this before it is listened to again
            await self._say({"id": id, "type": "error", "payload": [_too_many(limit).formatted]})
            return
        task = self._operations[id] = asyncio.create_task(self._run(id, asked))
        self._tasks[task] = asked
        task.add_done_callback(self._tasks.pop)

    async def _end(self, id: str) -> None:
        task = self._operations.pop(id, None)
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, id: str, asked: Asked) -> None:
        """Run one operation to its end, and say how it ended."""
        before = b'{"id":%b,"type":"next","payload":' % orjson.dumps(id)
        send_next = text_writer(self._server_send, before, b"}")
        with operation_on("websocket"), suppress(ClientGone):
            errors = await self._run_operation(asked, self._context, send_next)
            formatted = [error.formatted for error in errors]
            last = {"type": "error", "payload": formatted} if errors else {"type": "complete"}
            await self._finish(id, {"id": id, **last})

    async def _finish(self, id: str, message: Message) -> None:
        """Say the last word on an operation; its id is free for another from before that."""
        if self._operations.get(id) is asyncio.current_task():
            del self._operations[id]
        await self._say(message)

    async def _say(self, message: Message) -> None:
        await self._send({"type": "websocket.send", "text": orjson.dumps(message).decode()})


def _too_many(limit: int) -> GraphQLError:
    message = f"A socket can have {limit} operations at once."
    return RequestError("VALIDATION_ERROR", message, limit=limit)


def _id_of(message: Message) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not id:
        raise SocketClosed(4400, "The message needs an `id`, a string")
    return id
