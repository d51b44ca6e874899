"""Sees every request and socket: gives it an id, says the id in its answer, and tells when it has ended."""

import logging
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observing.current import HEADER, Observed, current, taken_over
from observing.ending import tell_operation, tell_request, tell_socket
from observing.metrics import SOCKETS
from observing.tracing import span

log = logging.getLogger("rowlock.routes")

QUIET = ("/health", "/metrics")
"""Whoever looks whether the house is well does so all the time."""


class Observing:
    """Puts what is seen of a request around the application; only what is no error of ours goes through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"].startswith(QUIET):
            return await self._app(scope, receive, send)
        seen = Observed(scope["type"], taken_over(scope["headers"]))
        token = current.set(seen)
        try:
            with span(scope["type"], scope["headers"]) as made:
                if scope["type"] == "websocket":
                    await self._see_socket(seen, scope, receive, send, made)
                else:
                    await self._see_request(seen, scope, receive, send, made)
        finally:
            current.reset(token)
        return None

    async def _see_socket(
        self, seen: Observed, scope: Scope, receive: Receive, send: Send, made: Any
    ) -> None:
        SOCKETS.inc()
        try:
            await self._app(scope, receive, send)
        finally:
            SOCKETS.dec()
            tell_socket(seen, _route(scope), made)

    async def _see_request(
        self, seen: Observed, scope: Scope, receive: Receive, send: Send, made: Any
    ) -> None:
        status, id_header = 0, (HEADER, seen.correlation_id.encode())

        def send_with_id(message: Message) -> Any:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], id_header]}
            return send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            log.error("unforeseen error, correlation id %s", seen.correlation_id, exc_info=error)
            seen.failed_with("INTERNAL_ERROR")
            if status:
                raise
            for message in _masked(seen.correlation_id):
                await send_with_id(message)
        finally:
            if seen.facts is None:
                tell_request(seen, scope["method"], _route(scope), status, made)
            else:
                tell_operation(seen, made)


def _route(scope: Scope) -> str | None:
    """The template of the route, never the path itself: what is in that is the client's own."""
    return getattr(scope.get("route"), "path", None)


def _masked(correlation_id: str) -> list[Message]:
    said = "Something went wrong on our side. Tell us the correlation id if you write to us."
    extensions = {"code": "INTERNAL_ERROR", "correlationId": correlation_id}
    body = orjson.dumps({"errors": [{"message": said, "extensions": extensions}]})
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    return [
        {"type": "http.response.start", "status": 500, "headers": headers},
        {"type": "http.response.body", "body": body},
    ]
