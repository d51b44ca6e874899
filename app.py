"""The application: everything that lives as long as the process, and the routes that lead to it."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute

from auth.codes import Codes
from auth.refresh_tokens import RefreshTokens
from auth.revocations import Revocations
from auth.tokens import AccessTokens
from database import Database
from dataloaders.plans import Plans
from jobs.work import Work
from live.bus import Bus
from live.hub import Hub
from routes.graphql import GraphQLEndpoint
from routes.graphql_socket import SocketsOwnSend
from routes.health import health
from routes.mailbox import mailbox
from routes.oauth import oauth_token
from routes.plans import seat_plan
from routes.query_page import query_page_routes
from schema.context import House
from schema.root import schema
from settings import Settings, read_settings
from steps.hold import Limits
from steps.pay_together import Payments
from steps.reserve_together import Reservations

OBJECTS_BETWEEN_COLLECTIONS = 50_000


def create_app(settings: Settings | None = None) -> Starlette:
    """Build the server; what it needs is connected when it starts, and let go when it stops."""
    settings = settings or read_settings()
    database = Database(settings)
    bus = Bus(settings.redis_url)
    hub = Hub(database, bus, settings.frame_milliseconds)
    work = Work(settings, database, bus)
    revocations = Revocations(database, bus, settings.access_token_seconds)
    database.on_sessions_ended = revocations.tell
    house = _house(settings, database, hub, revocations)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await bus.start()
        await revocations.start()
        await hub.start()
        await work.start()
        yield
        await work.stop()
        await hub.stop()
        await revocations.stop()
        await bus.stop()
        await database.close()

    endpoint = GraphQLEndpoint(schema, house, shows_query_page=not settings.is_production)
    open_pages = [] if settings.is_production else [*query_page_routes(), Route("/mailbox", mailbox)]
    app = Starlette(
        routes=[
            *open_pages,
            Route("/graphql", endpoint),
            WebSocketRoute("/graphql", endpoint),
            Route("/events/{event_id}/plan", seat_plan),
            Route("/oauth/token", oauth_token, methods=["POST"]),
            Route("/health", health),
        ],
        middleware=[Middleware(SocketsOwnSend), _cors(settings)],
        lifespan=lifespan,
    )
    app.state.house, app.state.bus = house, bus
    return app


def create_serving_app() -> Starlette:
    """Build the server of a process that does nothing else."""
    app = create_app()
    settle_collector()
    return app


def _house(settings: Settings, database: Database, hub: Hub, revocations: Revocations) -> House:
    limits = Limits(settings.hold_seconds, settings.seats_per_order_max, settings.seats_per_buyer_max)
    return House(
        settings=settings,
        database=database,
        tokens=AccessTokens(settings),
        refresh_tokens=RefreshTokens(settings),
        revocations=revocations,
        codes=Codes(settings),
        plans=Plans(database),
        hub=hub,
        payments=Payments(database, settings.credits_currency),
        reservations=Reservations(database, limits),
    )


def settle_collector() -> None:
    """Set aside what lives as long as the process, so that the garbage collector passes over it.

    And it looks less often, since what a request leaves behind is seldom a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


def _cors(settings: Settings) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
    )
