"""The application: everything that lives as long as the process, and the routes that lead to it."""

import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute

from auth.budgets import Budgets
from auth.codes import Codes
from auth.issuers import Issuers
from auth.qr_codes import QrCodes
from auth.rate_limits import RateLimits
from auth.refresh_tokens import RefreshTokens
from auth.revocations import Revocations
from auth.tokens import AccessTokens
from database import Database
from dataloaders.loads import Loads
from dataloaders.plans import Plans
from jobs.gauges import Gauges
from jobs.loop import Jobs
from jobs.work import Work
from live.bus import Bus
from live.hub import Hub
from live.news import News
from observing import logs, tracing
from payments.provider import Provider
from routes.directly import Directly
from routes.docs.documentation import docs_routes
from routes.graphql import GraphQLEndpoint
from routes.graphql_socket import SocketsOwnSend
from routes.health import Health
from routes.mailbox import mailbox
from routes.metrics import Metrics
from routes.oauth import oauth_token
from routes.observing import Observing
from routes.oidc import oidc_routes
from routes.plans import seat_plan
from routes.query_page import query_page_routes
from routes.security_headers import SecurityHeaders
from routes.webhooks import stripe_webhook
from schema.context import House
from schema.root import schema
from settings import Settings, read_settings
from steps.hold import Limits
from steps.pay_together import Payments
from steps.reserve_together import Reservations
from steps.visitors import Visitors

OBJECTS_BETWEEN_COLLECTIONS = 50_000


def create_app(settings: Settings | None = None) -> Starlette:
    """Build the server; what it needs is connected when it starts, and let go when it stops."""
    settings = settings or read_settings()
    database = Database(settings)
    bus = Bus(settings.redis_url)
    hub = Hub(database, bus, settings.frame_milliseconds)
    news = News(bus)
    database.on_touched = news.tell
    work = Work(settings, database, bus)
    revocations = Revocations(database, bus, settings.access_token_seconds)
    database.on_sessions_ended = revocations.tell
    house = _house(settings, database, hub, news, revocations, work.provider)
    endpoint = GraphQLEndpoint(schema, house, shows_query_page=not settings.is_production)
    gauges = Gauges(database, hub, endpoint.operations.streams)
    metrics = Metrics(settings.metrics_token, gauges)
    watch = Jobs([gauges.job] if settings.metrics else [])

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            outside = house.visitors.issuers.stop, house.rate_limits.stop, endpoint.documents.close
            for stop in (tracing.stop, database.close, *outside):
                stack.push_async_callback(stop)
            for part in (bus, revocations, hub, news, work, watch):
                stack.push_async_callback(part.stop)
                await part.start()
            yield

    open_pages = [] if settings.is_production else [*query_page_routes(), Route("/mailbox", mailbox)]
    graphql = Route("/graphql", endpoint)
    routes = [
        graphql,
        WebSocketRoute("/graphql", endpoint),
        *open_pages,
        Route("/events/{event_id}/plan", seat_plan),
        Route("/oauth/token", oauth_token, methods=["POST"]),
        Route("/webhooks/stripe", stripe_webhook, methods=["POST"]),
        *oidc_routes(house),
        *Health(database, bus, work.relay.job, gauges.look_at_deliveries, work.broker).routes(),
        *([Route("/metrics", metrics.show)] if settings.metrics else []),
    ]
    app = Starlette(
        routes=[*routes, *(docs_routes(routes) if settings.docs else [])],
        middleware=_middleware(settings, graphql),
        lifespan=lifespan,
    )
    app.state.house, app.state.bus = house, bus
    return app


def create_serving_app() -> Starlette:
    """Build the server of a process that does nothing else."""
    settings = read_settings()
    logs.set_up(settings.log_level, as_json=settings.is_production)
    tracing.start()
    app = create_app(settings)
    settle_collector()
    return app


def _house(
    settings: Settings,
    database: Database,
    hub: Hub,
    news: News,
    revocations: Revocations,
    provider: Provider | None,
) -> House:
    refresh_tokens = RefreshTokens(settings)
    issuers = Issuers(settings.oidc_issuers)
    limits = Limits(settings.hold_seconds, settings.seats_per_order_max, settings.seats_per_buyer_max)
    return House(
        settings=settings,
        database=database,
        tokens=AccessTokens(settings),
        refresh_tokens=refresh_tokens,
        revocations=revocations,
        visitors=Visitors(database, issuers, refresh_tokens, settings.access_token_seconds),
        rate_limits=RateLimits(settings),
        budgets=Budgets(settings.cost_per_minute_max),
        codes=Codes(settings),
        qr_codes=QrCodes(settings),
        plans=Plans(database),
        hub=hub,
        news=news,
        looks=Loads(database),
        payments=Payments(database, settings.credits_currency),
        reservations=Reservations(database, limits),
        provider=provider,
    )


def settle_collector() -> None:
    """Set aside what lives as long as the process, so that the garbage collector passes over it.

    And it looks less often, since what a request leaves behind is seldom a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


def _middleware(settings: Settings, graphql: Route) -> list[Middleware]:
    cors = _cors(settings)
    return [
        Middleware(SecurityHeaders, settings),
        Middleware(Observing),
        Middleware(Directly, graphql, cors),
        Middleware(SocketsOwnSend),
        cors,
    ]


def _cors(settings: Settings) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "X-Correlation-Id"],
        expose_headers=["X-Correlation-Id"],
    )
