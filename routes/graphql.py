"""The GraphQL endpoint: GraphQL over HTTP, WebSocket, and the query page for a browser."""

from datetime import timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.schema import BaseSchema
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult

from auth.bearer import viewer_of
from auth.tokens import TokenExpired, TokenRefused
from auth.viewer import Viewer
from routes.accepting import GRAPHQL_RESPONSE, JSON, accepted_type, wants_page
from routes.graphql_request import GraphQLRequest, RequestRefused, read_request
from routes.graphql_socket import SocketHandler
from routes.query_page import query_page
from schema.context import Context, House

HELLO_SECONDS_MAX = 10
SUBSCRIPTIONS_PER_SOCKET_MAX = 100


class GraphQLEndpoint(GraphQL[Context, None]):
    """Answers for one house; a browser that asks for a page gets the query page, where it is shown."""

    graphql_transport_ws_handler_class = SocketHandler

    def __init__(self, schema: BaseSchema, house: House, *, shows_query_page: bool) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=HELLO_SECONDS_MAX),
            max_subscriptions_per_connection=SUBSCRIPTIONS_PER_SOCKET_MAX,
            allowed_origins=house.settings.allowed_origins,
        )
        self.house = house
        self.shows_query_page = shows_query_page

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            response = await self._respond(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method == "GET" and "query" not in request.query_params and self._shows_page(request):
            return await query_page(request)
        media_type = accepted_type(request.headers.get("accept"))
        if media_type is None:
            return _error(RequestRefused(406, f"Accept {GRAPHQL_RESPONSE} or {JSON}."), JSON)
        try:
            asked = await read_request(request)
            viewer = self._viewer(request)
            return _answer(await self._execute(asked, Context(self.house, viewer)), media_type)
        except RequestRefused as refusal:
            return _error(refusal, media_type)

    def _shows_page(self, request: Request) -> bool:
        return self.shows_query_page and wants_page(request.headers.get("accept"))

    def _viewer(self, request: Request) -> Viewer | None:
        try:
            return viewer_of(request.headers.get("authorization"), self.house.tokens)
        except TokenRefused as refused:
            code = "TOKEN_EXPIRED" if isinstance(refused, TokenExpired) else "UNAUTHORIZED"
            raise RequestRefused(401, str(refused), code, **{"www-authenticate": "Bearer"}) from None

    async def _execute(self, asked: GraphQLRequest, context: Context) -> ExecutionResult:
        try:
            return await self.schema.execute(
                asked.query,
                variable_values=asked.variables,
                operation_name=asked.operation_name,
                context_value=context,
                allowed_operation_types=asked.allowed,
            )
        except CannotGetOperationTypeError:
            raise RequestRefused(400, "The document has no operation of this name.") from None
        except InvalidOperationTypeError as error:
            if error.operation_type.name == "MUTATION":
                raise RequestRefused(405, "Send mutations by POST.", allow="POST") from None
            message = "Subscribe over a WebSocket with the protocol graphql-transport-ws."
            raise RequestRefused(400, message) from None

    async def get_context(self, request: Any, response: Any) -> Context:
        """The context of a socket; who is asking is said in its first message."""
        return Context(self.house, connection_params={})

    async def on_ws_connect(self, context: Context) -> Any:
        parameters = context.connection_params or {}
        authorization = parameters.get("Authorization", parameters.get("authorization"))
        try:
            context.viewer = viewer_of(authorization, self.house.tokens)
        except TokenRefused:
            raise ConnectionRejectionError from None
        return await super().on_ws_connect(context)

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        return orjson.dumps(data).decode()


def _answer(result: ExecutionResult, media_type: str) -> Response:
    """Write a result; a request that could not be executed has no `data`, and says so by its status."""
    body: dict[str, Any] = {"data": result.data}
    status = 200
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
        if result.data is None and not any(error.path for error in result.errors):
            del body["data"]
            status = 200 if media_type == JSON else 400
    if result.extensions:
        body["extensions"] = result.extensions
    return _response(body, status, media_type)


def _error(refusal: RequestRefused, media_type: str) -> Response:
    body = {"errors": [{"message": str(refusal), "extensions": {"code": refusal.code}}]}
    return _response(body, refusal.status, media_type, **refusal.headers)


def _response(body: dict[str, Any], status: int, media_type: str, **headers: str) -> Response:
    headers = {"content-type": f"{media_type}; charset=utf-8", "vary": "Accept", **headers}
    return Response(orjson.dumps(body), status, headers)
