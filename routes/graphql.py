"""The GraphQL endpoint: over HTTP, Server-Sent Events and WebSocket, and the query page for a browser."""

from functools import partial
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.http.websocket_origin import (
    is_same_origin,
    normalize_allowed_origins,
    normalize_origin,
)

from auth.tokens import CannotTell, TokenExpired, TokenRefused
from live.stream import Streams
from observing.current import UNKNOWN, observed
from routes.accepting import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, accepted_type, wants_page
from routes.callers import caller_of
from routes.graphql_events import GraphQLEvents, in_event
from routes.graphql_request import RequestRefused, read_request
from routes.graphql_socket import PROTOCOL, GraphQLSocket, own_send
from routes.operations import Operations
from routes.persisted import PersistedDocuments
from routes.query_page import query_page
from routes.sockets import Sockets
from schema.context import Context, House
from schema.deadlines import Deadlines
from schema.documents import OperationNotAllowed
from schema.engine import Asked, Engine, is_request_error
from schema.errors import RequestError
from schema.root import Schema
from settings import Settings

STATUS = {"SERVICE_UNAVAILABLE": 503, "RATE_LIMITED": 429}
"""Of errors that no other request would have had."""


class GraphQLEndpoint:
    """Answers for one house; a browser that asks for a page gets the query page, where it is shown."""

    def __init__(self, schema: Schema, house: House, *, shows_query_page: bool) -> None:
        self.house = house
        self.engine = Engine(schema, house.settings)
        self.documents = PersistedDocuments(
            self.engine.is_valid, house.settings.redis_url, is_on=house.settings.persisted_queries
        )
        self.operations = Operations(self.engine, Streams(house.hub), self.documents)
        self.shows_query_page = shows_query_page
        self._sockets = Sockets(house.settings.sockets_per_address_max)
        self._arriving = Deadlines(house.settings.body_seconds_max, partial(_too_slow, house.settings))
        self._origins = normalize_allowed_origins(house.settings.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._converse(scope, receive, send)
        else:
            response = await self._respond(Request(scope, receive))
            await response(scope, receive, send)

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # the connection itself
        connection = HTTPConnection(scope)
        try:
            if not self._is_welcome_from(connection):
                raise RequestRefused(403, "ALLOWED_ORIGINS does not name the page's origin.", "FORBIDDEN")
            with self._sockets.one_of(connection):
                await self._talk(connection, receive, send)
        except RequestRefused as refusal:
            await _deny(scope, receive, send, refusal)

    async def _talk(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        if PROTOCOL not in connection.scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": f"Speak {PROTOCOL}"})
        else:
            await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
            context = _context(self.house, connection)
            own = own_send(connection.scope, send)
            await GraphQLSocket(self.operations, context, receive, own).serve()

    def _is_welcome_from(self, connection: HTTPConnection) -> bool:
        """Browsers do not hold sockets to the rules of CORS, so the page's origin is looked at here."""
        origin = connection.headers.get("origin")
        if origin is None or "*" in self._origins or is_same_origin(origin, connection.headers.get("host")):
            return True
        return normalize_origin(origin) in self._origins

    async def _respond(self, request: Request) -> ASGIApp:
        if request.method == "GET" and "query" not in request.query_params and self._shows_page(request):
            return await query_page(request)
        observed().facts = UNKNOWN
        media_type = accepted_type(request.headers.get("accept"))
        if media_type is None:
            return _error(RequestRefused(406, f"Accept {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM}."), JSON)
        try:
            context = await self._context(request)
            asked = await self._asked(request, context)
            if media_type == EVENT_STREAM:
                return GraphQLEvents(self.operations, context, asked.streaming())
            return _answer(await self._execute(asked, context), media_type)
        except RequestRefused as refusal:
            return _error(refusal, JSON if media_type == EVENT_STREAM else media_type)
        except RequestError as error:
            return (
                in_event(error)
                if media_type == EVENT_STREAM
                else _answer(ExecutionResult(None, [error]), media_type)
            )

    async def _asked(self, request: Request, context: Context) -> Asked:
        """Only those who run events have more to say than a query: a seating plan."""
        settings = self.house.settings
        bytes_max = settings.operator_body_bytes_max if context.runs_events else settings.body_bytes_max
        return await read_request(request, bytes_max, self._arriving, self.documents)

    def _shows_page(self, request: Request) -> bool:
        return self.shows_query_page and wants_page(request.headers.get("accept"))

    async def _context(self, request: Request) -> Context:
        context = _context(self.house, request)
        try:
            await context.recognize(request.headers.get("authorization"))
        except TokenRefused as refused:
            code = "TOKEN_EXPIRED" if isinstance(refused, TokenExpired) else "UNAUTHORIZED"
            raise RequestRefused(401, str(refused), code, headers={"www-authenticate": "Bearer"}) from None
        except CannotTell as error:
            headers = {"retry-after": "1"}
            raise RequestRefused(503, str(error), "SERVICE_UNAVAILABLE", headers=headers) from None
        return context

    async def _execute(self, asked: Asked, context: Context) -> ExecutionResult:
        seen = self.engine.observe(asked, context)
        try:
            result = await self.engine.execute(asked, context)
            seen.failed(result.errors)
            return result
        except OperationNotAllowed as error:
            if error.kind is OperationType.MUTATION:
                raise RequestRefused(405, "Send mutations by POST.", headers={"allow": "POST"}) from None
            message = f"Subscribe over a WebSocket with {PROTOCOL}, or accept {EVENT_STREAM}."
            raise RequestRefused(400, message) from None


def _too_slow(settings: Settings) -> RequestRefused:
    seconds = settings.body_seconds_max
    message = f"A request has to be here within {seconds} seconds."
    return RequestRefused(408, message, limit=seconds, headers={"connection": "close"})


async def _deny(scope: Scope, receive: Receive, send: Send, refusal: RequestRefused) -> None:
    """Refuse a socket before it is one, by an answer of HTTP."""
    if "websocket.http.response" in scope.get("extensions", {}):
        await _error(refusal, JSON)(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008})


def _context(house: House, connection: HTTPConnection) -> Context:
    device = connection.headers.get("user-agent", "unknown")
    languages = connection.headers.get("accept-language", "")
    return Context(house, device=device, address=caller_of(connection), accepted_languages=languages)


def _answer(result: ExecutionResult, media_type: str) -> Response:
    """Write a result; a request that could not be executed has no `data`, and says so by its status."""
    body: dict[str, Any] = {"data": result.data}
    status = 200
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
        if is_request_error(result):
            del body["data"]
            status = 200 if media_type == JSON else _status(result.errors[0])
    return _response(body, status, media_type)


def _status(error: GraphQLError) -> int:
    return STATUS.get((error.extensions or {})["code"], 400)


def _error(refusal: RequestRefused, media_type: str) -> Response:
    observed().failed_with(refusal.code)
    body = {"errors": [{"message": str(refusal), "extensions": refusal.extensions}]}
    return _response(body, refusal.status, media_type, **refusal.headers)


def _response(body: dict[str, Any], status: int, media_type: str, **headers: str) -> Response:
    headers = {"content-type": f"{media_type}; charset=utf-8", "vary": "Accept", **headers}
    return Response(orjson.dumps(body), status, headers)
