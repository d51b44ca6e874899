"""The house and a server that speaks Stripe's API: payments, signed webhooks, refunds, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from database import Database
from jobs.check_invariants import violations
from jobs.send_refunds import send_refunds_once
from jobs.settle_payments import settle_payments_once
from models.orders import Order
from models.users import User
from payments.stripe import StripeProvider
from schema import ids
from settings import Settings
from tests.cards import books, let_card_lapse, order_of, tickets_of
from tests.local_stripe import LocalStripe, local_stripe
from tests.paying import TOP_UP, balance, make_due, statuses
from tests.serving import Server, serving
from tests.world import hold, new_event, new_user, refund

SECRET = "whsec_local"
PAY = """mutation ($o: ID!) { pay(input: {orderId: $o, method: CARD}) { __typename
    ... on OrderPayload { clientSecret } ... on Refusal { code message } } }"""


@pytest.fixture(scope="module")
async def stripe() -> AsyncIterator[LocalStripe]:
    async with local_stripe() as running:
        yield running


@pytest.fixture
async def house(database: Database, settings: Settings, stripe: LocalStripe) -> AsyncIterator[Server]:
    """A server whose cards are taken by it; its jobs are run by hand."""
    keys = {"stripe_secret_key": SecretStr("sk_test_1"), "stripe_webhook_secret": SecretStr(SECRET)}
    keys |= {"stripe_url": stripe.url, "jobs_in_server": False}  # type: ignore[dict-item]
    async with serving(settings.model_copy(update=keys)) as running:
        await stripe.send_webhooks_to(f"{running.url}/webhooks/stripe", SECRET)
        yield running


@pytest.fixture
async def provider(stripe: LocalStripe) -> AsyncIterator[StripeProvider]:
    made = StripeProvider("sk_test_1", SECRET, stripe.url)
    yield made
    await made.close()


async def until(database: Database, status: str) -> None:
    """Wait for the webhook, which is sent a second after."""
    async with asyncio.timeout(20):
        while await statuses(database) != [status]:
            await asyncio.sleep(0.05)


async def opened(house: Server, user: User, order: Order) -> str:
    answer = (await house.ask(PAY, user, o=ids.order_id(order.event_id, order.id)))["pay"]
    secret: str = answer["clientSecret"]
    return secret


async def test_a_top_up_is_paid_and_its_webhook_credits_it(
    database: Database, house: Server, stripe: LocalStripe
) -> None:
    alice = await new_user(database)
    asked: dict[str, Any] = {"amount": "25.00"}
    top_up = (await house.ask(TOP_UP, alice, i=asked))["topUp"]["topUp"]
    assert (await stripe.customer_pays(top_up["clientSecret"])).json()["status"] == "succeeded"
    await until(database, "SUCCESS")
    assert await balance(database, alice) == 2_500
    assert await violations(database) == []


async def test_an_order_is_paid_sold_by_the_webhook_and_refunded_once(
    database: Database, house: Server, stripe: LocalStripe, provider: StripeProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    secret = await opened(house, alice, order)
    assert await opened(house, alice, order) == secret
    await stripe.customer_pays(secret)
    await until(database, "SUCCESS")
    assert ((await order_of(database, order)).status, await tickets_of(database, order)) == (
        "CONFIRMED",
        "AA",
    )
    await refund(database, alice, order)
    assert await send_refunds_once(database, provider) == 1
    intent = secret.partition("_secret_")[0]
    (made,) = [one for one in await stripe.all_of("refunds") if one["payment_intent"] == intent]
    (known,) = await database.rows("SELECT id, status, provider_reference FROM refunds")
    assert tuple(known) == (known["id"], "SUCCESS", made["id"])
    assert (made["amount"], made["metadata"]) == (2_000, {"rowlock_refund": str(known["id"])})
    assert await books(database) == {}
    async with database.transaction() as tx:  # as if its answer had been lost
        await tx.rows("DELETE FROM movements WHERE id = $1", known["id"])
        await tx.rows("UPDATE refunds SET status = 'PENDING', settled_at = NULL, ask_at = now()")
    assert await send_refunds_once(database, provider) == 1
    assert len([one for one in await stripe.all_of("refunds") if one["payment_intent"] == intent]) == 1
    assert await books(database) == {}
    assert await violations(database) == []


async def test_a_declined_card_takes_the_tickets_back(
    database: Database, house: Server, stripe: LocalStripe
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    secret = await opened(house, alice, order)
    declined = await stripe.customer_pays(secret, "pm_card_chargeCustomerFail")
    assert declined.status_code == 402
    await until(database, "FAILED")
    assert ((await order_of(database, order)).status, await tickets_of(database, order)) == ("PENDING", "C")
    assert await violations(database) == []


async def test_the_job_learns_what_no_webhook_told_and_ends_what_nobody_pays(
    database: Database, house: Server, stripe: LocalStripe, provider: StripeProvider
) -> None:
    await stripe.send_webhooks_to("http://127.0.0.1:9/nowhere", SECRET)
    event, alice = await new_event(database), await new_user(database)
    paid, left = await hold(database, alice, event, [0]), await hold(database, alice, event, [1])
    await stripe.customer_pays(await opened(house, alice, paid))
    intent = (await opened(house, alice, left)).partition("_secret_")[0]
    await let_card_lapse(database, left)
    await make_due(database)
    assert await settle_payments_once(database, provider) == 2
    assert sorted(await statuses(database)) == ["FAILED", "SUCCESS"]
    found = {one["id"]: one["status"] for one in await stripe.all_of("payment_intents")}
    assert (found[intent], (await order_of(database, paid)).status) == ("canceled", "CONFIRMED")
    assert await violations(database) == []
