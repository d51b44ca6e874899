"""Top-ups as a customer, the provider and the network make them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from database import Database
from models.payments import Payment, ProviderName
from models.users import User
from payments.provider import News
from payments.simulated import SimulatedProvider
from steps.idempotency import Key
from steps.settle import settle_payment
from steps.top_up import note_top_up, open_top_up
from steps.transact import transact
from tests.serving import answering
from tests.world import CURRENCY

BOUNDS_MINOR = (100, 1_000_000)
AWAY = JSONResponse({"error": {"type": "api_error", "message": "away"}}, 400)
TOP_UP = """mutation ($i: TopUpInput!) { topUp(input: $i) { __typename
    ... on TopUpPayload { topUp { clientSecret amount { amount currency }
        transaction { id kind status method amount { amount } } } }
    ... on Refusal { code field message retryAfterSeconds } } }"""


async def opened(
    database: Database,
    user: User,
    amount_minor: int = 2_500,
    provider: ProviderName = ProviderName.SIMULATED,
    key: Key | None = None,
) -> Payment:
    """A top-up that the house has opened, and of which no provider knows."""
    return await transact(
        database,
        open_top_up,
        user_id=user.id,
        amount_minor=amount_minor,
        currency=CURRENCY,
        bounds_minor=BOUNDS_MINOR,
        provider=provider,
        key=key,
    )


async def begun(
    database: Database, user: User, provider: SimulatedProvider, amount_minor: int = 2_500
) -> News:
    """A top-up that waits for its customer."""
    news = await provider.begin(await opened(database, user, amount_minor))
    await transact(database, note_top_up, news=news)
    return news


async def settled(database: Database, news: News, provider: ProviderName = ProviderName.SIMULATED) -> bool:
    """Take news into the books, as the webhook and the job do."""
    return await transact(database, settle_payment, provider=provider, news=news)


async def topped_up(
    database: Database, user: User, provider: SimulatedProvider, amount_minor: int = 2_500
) -> None:
    """A top-up that was paid and credited."""
    news = await begun(database, user, provider, amount_minor)
    await settled(database, await provider.play(news.reference, "succeeded"))


async def balance(database: Database, user: User) -> int:
    rows = await database.rows("SELECT balance_minor FROM accounts WHERE user_id = $1", user.id)
    return rows[0][0] if rows else 0


async def statuses(database: Database) -> list[str]:
    return [row[0] for row in await database.rows("SELECT status FROM payments ORDER BY id")]


async def make_due(database: Database, hours: int = 0) -> None:
    """Let the provider be asked about every payment now, and let them be so many hours older."""
    async with database.transaction() as tx:
        await tx.rows(
            """UPDATE payments SET ask_at = now(), created_at = created_at - make_interval(hours => $1)
               WHERE ask_at IS NOT NULL""",
            hours,
        )


class StripeStandIn:
    """As much of Stripe's API as a top-up needs, over HTTP: intents, idempotency keys, its errors."""

    def __init__(self) -> None:
        self.intents: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, str] = {}
        self.seen: list[Request] = []
        self.is_away = False
        self.url = ""

    @property
    def app(self) -> Starlette:
        one = "/v1/payment_intents/{id}"
        return Starlette(
            routes=[
                Route("/v1/payment_intents", self._create, methods=["POST"]),
                Route(one, self._retrieve),
                Route(f"{one}/cancel", self._cancel, methods=["POST"]),
            ]
        )

    async def _create(self, request: Request) -> JSONResponse:
        self.seen.append(request)
        if self.is_away:
            return AWAY
        form = dict(parse_qsl((await request.body()).decode()))
        key = request.headers["idempotency-key"]
        id = self.by_key.setdefault(key, f"pi_{len(self.by_key)}")
        fresh = {
            "id": id,
            "object": "payment_intent",
            "status": "requires_payment_method",
            "amount": int(form["amount"]),
            "amount_received": 0,
            "currency": form["currency"],
            "client_secret": f"{id}_secret",
            "last_payment_error": None,
            "metadata": {name: form[f"metadata[{name}]"] for name in ("rowlock_user", "rowlock_payment")},
        }
        return JSONResponse(self.intents.setdefault(id, fresh))

    async def _retrieve(self, request: Request) -> JSONResponse:
        return AWAY if self.is_away else JSONResponse(self.intents[request.path_params["id"]])

    async def _cancel(self, request: Request) -> JSONResponse:
        intent = self.intents[request.path_params["id"]]
        if intent["status"] == "succeeded":
            error = {"type": "invalid_request_error", "code": "payment_intent_unexpected_state"}
            return JSONResponse({"error": error | {"message": "It has succeeded."}}, 400)
        intent["status"] = "canceled"
        return JSONResponse(intent)

    def pay(self, id: str) -> None:
        """The customer pays it."""
        intent = self.intents[id]
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}

    def event(self, id: str, kind: str) -> bytes:
        """An event about an intent as it is now."""
        event = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": self.intents[id]}}
        return orjson.dumps(event)


@asynccontextmanager
async def stripe_stand_in() -> AsyncIterator[StripeStandIn]:
    """A stand-in for Stripe at an address of this machine."""
    stripe = StripeStandIn()
    async with answering(stripe.app) as (url, _):
        stripe.url = url
        yield stripe
