"""The GraphQL endpoint: over HTTP, Server-Sent Events and WebSocket, and the query page for a browser."""

from typing import Any

import orjson
from graphql import ExecutionResult, OperationType
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.http.websocket_origin import (
    is_same_origin,
    normalize_allowed_origins,
    normalize_origin,
)

from auth.tokens import TokenExpired, TokenRefused
from live.stream import Streams
from routes.accepting import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, accepted_type, wants_page
from routes.graphql_events import GraphQLEvents, in_event
from routes.graphql_request import RequestRefused, read_request
from routes.graphql_socket import PROTOCOL, GraphQLSocket, own_send
from routes.operations import Operations
from routes.persisted import PersistedDocuments
from routes.query_page import query_page
from schema.context import Context, House
from schema.documents import OperationNotAllowed
from schema.engine import Asked, Engine, is_request_error
from schema.errors import RequestError
from schema.root import Schema


class GraphQLEndpoint:
    """Answers for one house; a browser that asks for a page gets the query page, where it is shown."""

    def __init__(
        self, schema: Schema, house: House, documents: PersistedDocuments, *, shows_query_page: bool
    ) -> None:
        self.house = house
        self.engine = Engine(schema)
        self.operations = Operations(self.engine, Streams(house.hub), documents)
        self.shows_query_page = shows_query_page
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
        if not self._is_welcome_from(connection):
            await send({"type": "websocket.close", "code": 1008})
        elif PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": f"Speak {PROTOCOL}"})
        else:
            await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
            context = Context(self.house, device=_device(connection))
            await GraphQLSocket(self.operations, context, receive, own_send(scope, send)).serve()

    def _is_welcome_from(self, connection: HTTPConnection) -> bool:
        """Browsers do not hold sockets to the rules of CORS, so the page's origin is looked at here."""
        origin = connection.headers.get("origin")
        if origin is None or "*" in self._origins or is_same_origin(origin, connection.headers.get("host")):
            return True
        return normalize_origin(origin) in self._origins

    async def _respond(self, request: Request) -> ASGIApp:
        if request.method == "GET" and "query" not in request.query_params and self._shows_page(request):
            return await query_page(request)
        media_type = accepted_type(request.headers.get("accept"))
        if media_type is None:
            return _error(RequestRefused(406, f"Accept {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM}."), JSON)
        try:
            asked = await read_request(request, self.operations.documents)
            context = self._context(request)
            if media_type == EVENT_STREAM:
                return GraphQLEvents(self.operations, context, asked.streaming())
            return _answer(await self._execute(asked, context), media_type)
        except RequestRefused as refusal:
            return _error(refusal, JSON if media_type == EVENT_STREAM else media_type)
        except RequestError as error:
            return in_event(error) if media_type == EVENT_STREAM else _not_kept(error, media_type)

    def _shows_page(self, request: Request) -> bool:
        return self.shows_query_page and wants_page(request.headers.get("accept"))

    def _context(self, request: Request) -> Context:
        context = Context(self.house, device=_device(request))
        try:
            context.recognize(request.headers.get("authorization"))
        except TokenRefused as refused:
            code = "TOKEN_EXPIRED" if isinstance(refused, TokenExpired) else "UNAUTHORIZED"
            raise RequestRefused(401, str(refused), code, **{"www-authenticate": "Bearer"}) from None
        return context

    async def _execute(self, asked: Asked, context: Context) -> ExecutionResult:
        try:
            return await self.engine.execute(asked, context)
        except OperationNotAllowed as error:
            if error.kind is OperationType.MUTATION:
                raise RequestRefused(405, "Send mutations by POST.", allow="POST") from None
            message = f"Subscribe over a WebSocket with {PROTOCOL}, or accept {EVENT_STREAM}."
            raise RequestRefused(400, message) from None


def _device(connection: HTTPConnection) -> str:
    return connection.headers.get("user-agent", "unknown")


def _answer(result: ExecutionResult, media_type: str) -> Response:
    """Write a result; a request that could not be executed has no `data`, and says so by its status."""
    body: dict[str, Any] = {"data": result.data}
    status = 200
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
        if is_request_error(result):
            del body["data"]
            status = 200 if media_type == JSON else 400
    return _response(body, status, media_type)


def _not_kept(error: RequestError, media_type: str) -> Response:
    """Answer a request by hash that nobody on the way may keep: the document may be known in a moment."""
    response = _answer(ExecutionResult(None, [error]), media_type)
    response.headers["cache-control"] = "no-store"
    return response


def _error(refusal: RequestRefused, media_type: str) -> Response:
    body = {"errors": [{"message": str(refusal), "extensions": {"code": refusal.code}}]}
    return _response(body, refusal.status, media_type, **refusal.headers)


def _response(body: dict[str, Any], status: int, media_type: str, **headers: str) -> Response:
    headers = {"content-type": f"{media_type}; charset=utf-8", "vary": "Accept", **headers}
    return Response(orjson.dumps(body), status, headers)
