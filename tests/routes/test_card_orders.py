"""Orders by card from the API to the ticket: what a client sends and reads, and what the webhook does."""

import asyncio
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from database import Database
from demo.pay_card import play_customer
from jobs.check_invariants import violations
from models.orders import Order
from models.users import Role, User
from payments.simulated import SimulatedProvider
from schema import ids
from settings import Mode, Settings
from tests.cards import books, bought_by_card, let_card_lapse, order_of, paid_back, repaired, tickets_of
from tests.codes import LETTERS, waiting_messages
from tests.routes.test_webhooks import SETTLE
from tests.serving import Server, serving
from tests.world import everything, hold, new_event, new_user, refund

PAY = """mutation ($i: PayInput!) { pay(input: $i) { __typename
    ... on OrderPayload { clientSecret order { id status heldUntil availableActions tickets { status }
        transactions { kind status amount { amount } method } } }
    ... on Refusal { code message retryAfterSeconds } } }"""
LOOK = """query ($o: ID!) { order(id: $o) { status availableActions refundedTotal { amount }
    tickets { status }
    transactions { kind status amount { amount } method refundOf { kind } reason } } }"""
REFUND = """mutation ($i: RefundTransactionInput!) { refundTransaction(input: $i) { __typename
    ... on TransactionPayload { transaction { kind status amount { amount } reason refundOf { kind } } }
    ... on Refusal { code field message } } }"""


@pytest.fixture
def provider(database: Database, settings: Settings) -> SimulatedProvider:
    return SimulatedProvider(database, settings.secret_key.get_secret_value())


async def paid(
    server: Server, user: User, order: Order, key: str | None = None, method: str = "CARD"
) -> dict[str, Any]:
    asked = {"orderId": ids.order_id(order.event_id, order.id), "method": method, "idempotencyKey": key}
    return (await server.ask(PAY, user, i=asked))["pay"]


async def paid_at_last(server: Server, user: User, order: Order, key: str, **more: str) -> dict[str, Any]:
    """The same by a client that asks again while a twin is still running, as it is told to."""
    for _ in range(20):
        answer = await paid(server, user, order, key, **more)
        if answer.get("code") != "BUSY":
            break
    return answer


async def seen(server: Server, user: User, order: Order) -> dict[str, Any]:
    return (await server.ask(LOOK, user, o=ids.order_id(order.event_id, order.id)))["order"]


async def told(server: Server, provider: SimulatedProvider, secret: str, status: str) -> httpx2.Response:
    """What the house answers when it is told what became of a payment."""
    reference = await provider.reference_of(secret)
    assert reference
    await provider.play(reference, status)
    body, signature = await provider.event(reference)
    return await server.http.post("/webhooks/stripe", content=body, headers={"stripe-signature": signature})


async def test_an_order_by_card_from_the_api_to_the_ticket(
    database: Database, server: Server, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    opened = await paid(server, alice, order)
    assert opened["clientSecret"].startswith("pi_simulated_")
    assert (opened["order"]["status"], opened["order"]["tickets"]) == ("PENDING", [{"status": "PENDING"}] * 2)
    assert opened["order"]["availableActions"] == ["PAY", "CANCEL"]
    (entry,) = opened["order"]["transactions"]
    assert entry == {
        "kind": "PURCHASE",
        "status": "PENDING",
        "amount": {"amount": "-20.00"},
        "method": "CARD",
    }
    for _ in range(2):
        answer = await told(server, provider, opened["clientSecret"], "succeeded")
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    after = await seen(server, alice, order)
    assert (after["status"], after["tickets"]) == ("CONFIRMED", [{"status": "ACTIVE"}] * 2)
    assert [entry["status"] for entry in after["transactions"]] == ["SUCCESS"]
    again = await paid(server, alice, order)
    assert again["code"] == "ORDER_ALREADY_CONFIRMED"
    assert await violations(database) == []


async def test_a_declined_card_is_told_and_the_order_waits(
    database: Database, server: Server, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    opened = await paid(server, alice, order)
    await told(server, provider, opened["clientSecret"], "failed")
    after = await seen(server, alice, order)
    assert (after["status"], after["tickets"]) == ("PENDING", [{"status": "CANCELLED"}])
    (entry,) = after["transactions"]
    assert (entry["status"], entry["reason"]) == ("FAILED", "The card was declined.")
    assert "ADD_ITEMS" in after["availableActions"]


async def test_late_money_that_goes_back_is_told_in_the_order(
    database: Database, server: Server, provider: SimulatedProvider
) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    opened = await paid(server, alice, order)
    await let_card_lapse(database, order)
    await hold(database, bob, event, [0])
    assert (await told(server, provider, opened["clientSecret"], "succeeded")).status_code == 200
    await repaired(database, provider)
    after = await seen(server, alice, order)
    assert (after["status"], after["tickets"]) == ("EXPIRED", [{"status": "CANCELLED"}])
    bought, back = after["transactions"]
    assert (bought["kind"], bought["status"], bought["amount"]) == (
        "PURCHASE",
        "REFUNDED",
        {"amount": "-10.00"},
    )
    assert (back["kind"], back["status"], back["amount"]) == ("REFUND", "SUCCESS", {"amount": "10.00"})
    assert (back["refundOf"], back["method"]) == ({"kind": "PURCHASE"}, "CARD")
    assert "goes back to the card" in back["reason"]
    (letter,) = await waiting_messages(database, alice.id)
    assert "€10.00" in LETTERS.text_of(letter).body
    assert await paid_back(database) == [1_000]


async def test_money_that_an_admin_has_seen_too_late_goes_back_and_its_buyer_is_told(
    database: Database, server: Server
) -> None:
    event, alice, admin = (
        await new_event(database),
        await new_user(database),
        await new_user(database, Role.ADMIN),
    )
    order = await hold(database, alice, event, [0])
    await paid(server, alice, order)
    await let_card_lapse(database, order)
    await hold(database, await new_user(database), event, [0])
    (payment,) = await database.rows("SELECT id FROM payments")
    given = {
        "transactionId": ids.transaction_id(alice.id, payment["id"]),
        "status": "SUCCESS",
        "reason": "Seen",
    }
    await server.ask(SETTLE, admin, i=given)
    (letter,) = await waiting_messages(database, alice.id)
    assert letter.template == "late_money"
    assert await violations(database) == []


async def test_thirty_twins_over_the_api_get_one_payment_and_altered_ones_a_refusal(
    database: Database, server: Server
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order, other = await hold(database, alice, event, [0]), await hold(database, alice, event, [1])
    first = await paid(server, alice, order, "k")
    twins = [paid_at_last(server, alice, order, "k") for _ in range(30)]
    altered = [paid_at_last(server, alice, other, "k") for _ in range(2)]
    altered.append(paid_at_last(server, alice, order, "k", method="CREDITS"))
    answers = await asyncio.gather(*twins, *altered)
    assert [answer["clientSecret"] for answer in answers[:30]] == [first["clientSecret"]] * 30
    assert [answer["code"] for answer in answers[30:]] == ["IDEMPOTENCY_MISMATCH"] * 3
    assert len(await database.rows("SELECT 1 FROM payments")) == 1
    assert await violations(database) == []


async def test_without_a_provider_nobody_pays_by_card(database: Database, settings: Settings) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    production = {"mode": Mode.PRODUCTION, "secret_key": SecretStr("x" * 32)}
    async with serving(settings.model_copy(update=production)) as server:
        before = await everything(database)
        assert (await paid(server, alice, order))["code"] == "PAYMENT_METHOD_NOT_ALLOWED"
        assert await everything(database) == before


WAYS = [
    (False, 1, "CONFIRMED", "A"),
    (False, 2, "CONFIRMED", "A"),
    (True, 1, "PENDING", "C"),
    (False, 0, "PENDING", "P"),
]


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_person_plays_the_customer_of_an_order(
    database: Database, server: Server, settings: Settings, way: tuple[bool, int, str, str]
) -> None:
    fails, webhooks, status, tickets = way
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    secret = (await paid(server, alice, order))["clientSecret"]
    here = settings.model_copy(update={"port": int(server.url.rpartition(":")[2])})
    assert await play_customer(database, here, secret, fails, webhooks)
    assert ((await order_of(database, order)).status, await tickets_of(database, order)) == (status, tickets)


async def test_an_admin_pays_back_with_a_reason_and_nobody_else_does(
    database: Database, server: Server, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    admin, operator = await new_user(database, Role.ADMIN), await new_user(database, Role.OPERATOR)
    order = await bought_by_card(database, alice, event, provider, 0)
    assert order.payment_id
    given = {"transactionId": ids.transaction_id(alice.id, order.payment_id), "reason": "The heating was off"}
    before = await everything(database)
    for caller in (alice, operator):
        assert (await server.error(REFUND, caller, i=given))["extensions"]["code"] == "FORBIDDEN"
    refused = (await server.ask(REFUND, admin, i=given | {"amount": "10.01"}))["refundTransaction"]
    assert refused["code"] == "REFUND_NOT_ALLOWED"
    refused = (await server.ask(REFUND, admin, i=given | {"reason": ""}))["refundTransaction"]
    assert (refused["code"], refused["field"]) == ("VALIDATION_ERROR", "input.reason")
    assert await everything(database) == before
    part = given | {"amount": "4.00", "idempotencyKey": "k"}
    for _ in range(2):
        made = (await server.ask(REFUND, admin, i=part))["refundTransaction"]["transaction"]
        assert made == {
            "kind": "REFUND",
            "status": "PENDING",
            "amount": {"amount": "4.00"},
            "reason": "The heating was off",
            "refundOf": {"kind": "PURCHASE"},
        }
    altered = (await server.ask(REFUND, admin, i=part | {"amount": "5.00"}))["refundTransaction"]
    assert altered["code"] == "IDEMPOTENCY_MISMATCH"
    assert (await seen(server, alice, order))["refundedTotal"] == {"amount": "4.00"}
    await refund(database, alice, order)
    await repaired(database, provider)
    assert (sorted(await paid_back(database)), await books(database)) == ([400, 600], {})
    assert await violations(database) == []


async def test_while_a_card_is_asked_credits_do_not_pay(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    await paid(server, alice, order)
    credits = {"orderId": ids.order_id(event.id, order.id), "method": "CREDITS"}
    refused = (await server.ask(PAY, alice, i=credits))["pay"]
    assert refused["code"] == "ORDER_INVALID_STATE"
    assert await tickets_of(database, order) == "P"
    assert await books(database) == {"CORRECTIONS": -9_000, "CREDITS": 9_000}
