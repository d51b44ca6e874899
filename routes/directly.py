"""Leads the requests of one path to their endpoint, past the router and what it wraps each answer in."""

from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

ORIGIN = b"origin"


class Directly:
    """Answers a route's requests itself; one from a page of some origin goes through `of_origins` first."""

    def __init__(self, app: ASGIApp, route: Route, of_origins: Middleware) -> None:
        self._app, self._route = app, route
        cls, args, kwargs = of_origins
        self._for_pages: ASGIApp = cls(route.app, *args, **kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._route.path:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        is_of_page = any(name == ORIGIN for name, _ in scope["headers"])
        await (self._for_pages if is_of_page else self._route.app)(scope, receive, send)
