"""Top-ups from the API to the credit, by Stripe too; and whose word the webhook takes."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson
import pytest
from pydantic import SecretStr
from stripe import WebhookSignature

from database import Database
from jobs.settle_payments import settle_payments_once
from models.users import Role, User
from payments.provider import ProviderAway
from payments.simulated import SimulatedProvider
from payments.stripe import API_VERSION, StripeProvider
from schema import ids
from settings import Mode, Settings
from tests.paying import TOP_UP, StripeStandIn, balance, begun, make_due, opened, statuses, stripe_stand_in
from tests.serving import Server, serving
from tests.world import everything, new_user

WEBHOOK = "/webhooks/stripe"
SECRET = "whsec_of_a_test"
SETTLE = """mutation ($i: SettleTransactionInput!) { settleTransaction(input: $i) { __typename
    ... on TransactionPayload { transaction { status reason amount { amount } } }
    ... on Refusal { code field } } }"""


@pytest.fixture
def provider(database: Database, settings: Settings) -> SimulatedProvider:
    return SimulatedProvider(database, settings.secret_key.get_secret_value())


@pytest.fixture
async def stripe() -> AsyncIterator[StripeStandIn]:
    async with stripe_stand_in() as stripe:
        yield stripe


@pytest.fixture
async def with_stripe(database: Database, settings: Settings, stripe: StripeStandIn) -> AsyncIterator[Server]:
    keys = {"stripe_secret_key": SecretStr("sk_test_1"), "stripe_webhook_secret": SecretStr(SECRET)}
    async with serving(settings.model_copy(update={**keys, "stripe_url": stripe.url})) as running:
        yield running


def signed(body: bytes, secret: str = SECRET, age_seconds: int = 0) -> dict[str, str]:
    header = WebhookSignature.generate_signature_header(body.decode(), secret, int(time.time()) - age_seconds)
    return {"stripe-signature": header}


async def sent(server: Server, body: bytes, headers: dict[str, str]) -> httpx2.Response:
    return await server.http.post(WEBHOOK, content=body, headers=headers)


async def bought(server: Server, user: User, amount: str = "25.00", key: str | None = None) -> dict[str, Any]:
    asked = {"amount": amount, "idempotencyKey": key}
    return (await server.ask(TOP_UP, user, i=asked))["topUp"]


async def test_a_top_up_from_the_api_to_the_credit(
    database: Database, server: Server, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    top_up = (await bought(server, alice))["topUp"]
    assert top_up["amount"] == {"amount": "25.00", "currency": "EUR"}
    began = top_up["transaction"]
    assert (began["kind"], began["status"], began["method"]) == ("TOP_UP", "PENDING", "CARD")
    reference = await provider.reference_of(top_up["clientSecret"])
    assert reference is not None
    await provider.play(reference, "succeeded")
    body, signature = await provider.event(reference)
    for _ in range(2):
        answer = await sent(server, body, {"stripe-signature": signature})
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    mine = "{ viewer { creditBalance { amount } } transactions { nodes { id status } } }"
    seen = await server.ask(mine, alice)
    assert seen["viewer"]["creditBalance"]["amount"] == "25.00"
    assert seen["transactions"]["nodes"] == [{"id": began["id"], "status": "SUCCESS"}]


async def test_one_key_buys_once_and_gets_the_same_client_secret(database: Database, server: Server) -> None:
    alice = await new_user(database)
    first, second = [(await bought(server, alice, key="k"))["topUp"] for _ in range(2)]
    assert first == second
    assert (await bought(server, alice, "26.00", "k"))["code"] == "IDEMPOTENCY_MISMATCH"
    assert len(await database.rows("SELECT 1 FROM payments")) == 1


@pytest.mark.parametrize("amount", ["0.99", "10000.01", "0", "-5", "1.001"])
async def test_an_amount_out_of_bounds_opens_nothing(database: Database, server: Server, amount: str) -> None:
    alice = await new_user(database)
    before = await everything(database)
    refused = await bought(server, alice, amount)
    assert (refused["code"], refused["field"]) == ("VALIDATION_ERROR", "input.amount")
    assert await everything(database) == before


@pytest.mark.parametrize("amount", ["1.00", "10000.00"])
async def test_the_bounds_themselves_are_in(database: Database, server: Server, amount: str) -> None:
    assert (await bought(server, await new_user(database), amount))["topUp"]["amount"]["amount"] == amount


async def test_what_is_not_signed_by_the_provider_is_refused(
    database: Database, server: Server, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    news = await begun(database, alice, provider)
    await provider.play(news.reference, "succeeded")
    body, signature = await provider.event(news.reference)
    before = await everything(database)
    key = provider._keyed("webhook")
    for wrong, headers in (
        (body, {}),
        (body, {"stripe-signature": ""}),
        (body, {"stripe-signature": "t=now,v1=00"}),
        (body, {"stripe-signature": signature.replace("v1=", "v0=")}),
        (body, signed(body, "another secret")),
        (body, signed(body, key, age_seconds=310)),
        (body, signed(body, key, age_seconds=-310)),
        (body + b" ", {"stripe-signature": signature}),
        (b"\xff" + body, {"stripe-signature": signature}),
        (b"[]", signed(b"[]", key)),
        (b"{", signed(b"{", key)),
        (b'{"type": "payment_intent.succeeded"}', signed(b'{"type": "payment_intent.succeeded"}', key)),
    ):
        answer = await sent(server, wrong, headers)
        assert answer.status_code == 400, (wrong, headers)
    assert await everything(database) == before
    for age_seconds in (290, -290):
        assert (await sent(server, body, signed(body, key, age_seconds))).status_code == 200
    assert await balance(database, alice) == 2_500


async def test_what_is_too_large_is_refused_and_what_is_unknown_acknowledged(
    database: Database, server: Server, provider: SimulatedProvider
) -> None:
    before = await everything(database)
    large = b" " * (256 * 1024 + 1)
    assert (await sent(server, large, signed(large))).status_code == 413
    key = provider._keyed("webhook")
    for unknown in (
        {"type": "customer.created", "data": {"object": {"id": "cus_1"}}},
        {"type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1", "metadata": {}}}},
    ):
        body = orjson.dumps(unknown)
        assert (await sent(server, body, signed(body, key))).status_code == 200
    assert (await server.http.get(WEBHOOK)).status_code == 405
    assert await everything(database) == before


async def test_a_top_up_by_stripe(database: Database, with_stripe: Server, stripe: StripeStandIn) -> None:
    alice = await new_user(database)
    top_up = (await bought(with_stripe, alice))["topUp"]
    assert top_up["clientSecret"] == "pi_0_secret"
    (payment,) = await database.rows("SELECT id, provider, provider_reference FROM payments")
    assert tuple(payment)[1:] == ("STRIPE", "pi_0")
    headers = stripe.seen[0].headers
    assert headers["idempotency-key"] == str(payment["id"])
    assert headers["stripe-version"] == API_VERSION
    assert headers["authorization"] == "Bearer sk_test_1"
    stripe.pay("pi_0")
    body = stripe.event("pi_0", "payment_intent.succeeded")
    for _ in range(2):
        assert (await sent(with_stripe, body, signed(body))).status_code == 200
    assert await balance(database, alice) == 2_500


async def test_while_stripe_is_away_nothing_is_lost_and_the_same_key_goes_on(
    database: Database, with_stripe: Server, stripe: StripeStandIn
) -> None:
    alice = await new_user(database)
    stripe.is_away = True
    refused = await bought(with_stripe, alice, key="k")
    assert (refused["code"], refused["retryAfterSeconds"]) == ("PAYMENT_FAILED", 5)
    assert await statuses(database) == ["PENDING"]
    stripe.is_away = False
    assert (await bought(with_stripe, alice, key="k"))["topUp"]["clientSecret"] == "pi_0_secret"
    assert len(stripe.intents) == 1


async def test_the_job_asks_stripe_and_cancels_what_is_old(
    database: Database, with_stripe: Server, stripe: StripeStandIn
) -> None:
    alice, provider = await new_user(database), with_stripe.app.state.house.provider
    for _ in range(3):
        await bought(with_stripe, alice)
    stripe.pay("pi_0")
    await make_due(database)
    stripe.is_away = True
    assert await settle_payments_once(database, provider) == 3
    assert await statuses(database) == ["PENDING"] * 3
    stripe.is_away = False
    await make_due(database)
    await settle_payments_once(database, provider)
    assert await statuses(database) == ["SUCCESS", "PENDING", "PENDING"]
    stripe.pay("pi_1")  # between the job's asking and its cancelling
    await make_due(database, hours=25)
    await settle_payments_once(database, provider)
    assert await statuses(database) == ["SUCCESS", "SUCCESS", "FAILED"]
    assert stripe.intents["pi_2"]["status"] == "canceled"
    assert await balance(database, alice) == 5_000


async def test_a_provider_that_is_not_there_is_away() -> None:
    provider = StripeProvider("sk_test_1", SECRET, "http://127.0.0.1:9")
    with pytest.raises(ProviderAway):
        await provider.ask("pi_1")
    await provider.close()


async def test_without_a_provider_nobody_tops_up(database: Database, settings: Settings) -> None:
    alice = await new_user(database)
    production = {"mode": Mode.PRODUCTION, "secret_key": SecretStr("x" * 32)}
    async with serving(settings.model_copy(update=production)) as server:
        before = await everything(database)
        assert (await bought(server, alice))["code"] == "PAYMENT_METHOD_NOT_ALLOWED"
        assert (await sent(server, b"{}", {})).status_code == 404
        assert await everything(database) == before


async def test_an_admin_settles_what_the_provider_says_nothing_about(
    database: Database, server: Server, provider: SimulatedProvider
) -> None:
    alice, admin = await new_user(database), await new_user(database, Role.ADMIN)
    for status, amount_minor in (("SUCCESS", 2_500), ("FAILED", 2_500)):
        payment = await opened(database, alice)
        given = {"transactionId": ids.transaction_id(alice.id, payment.id), "reason": "by the bank's letter"}
        given |= {"status": status, "idempotencyKey": "k" + status}
        for _ in range(2):
            settled = (await server.ask(SETTLE, admin, i=given))["settleTransaction"]["transaction"]
            assert (settled["status"], settled["reason"]) == (status, "by the bank's letter")
        assert await balance(database, alice) == amount_minor
        again = (await server.ask(SETTLE, admin, i=given | {"idempotencyKey": None}))["settleTransaction"]
        assert again["code"] == "TRANSACTION_INVALID_STATE"
    (row,) = await database.rows("SELECT actor_id, reason FROM movements")
    assert tuple(row) == (admin.id, "by the bank's letter")


async def test_what_cannot_be_settled_stays_as_it_is(database: Database, server: Server) -> None:
    alice, admin = await new_user(database, credits_minor=500), await new_user(database, Role.ADMIN)
    payment = await opened(database, alice)
    (moved,) = await database.rows("SELECT id FROM movements")
    known = ids.transaction_id(alice.id, payment.id)
    before = await everything(database)
    for id, status, reason, code in (
        (known, "PENDING", "why", "VALIDATION_ERROR"),
        (known, "REFUNDED", "why", "VALIDATION_ERROR"),
        (known, "SUCCESS", "", "VALIDATION_ERROR"),
        (ids.transaction_id(alice.id, moved["id"]), "SUCCESS", "why", "TRANSACTION_INVALID_STATE"),
        (ids.transaction_id(admin.id, payment.id), "SUCCESS", "why", "TRANSACTION_NOT_FOUND"),
    ):
        given = {"transactionId": id, "status": status, "reason": reason}
        assert (await server.ask(SETTLE, admin, i=given))["settleTransaction"]["code"] == code
    given = {"transactionId": known, "status": "SUCCESS", "reason": "why"}
    assert (await server.error(SETTLE, alice, i=given))["extensions"]["code"] == "FORBIDDEN"
    assert await everything(database) == before
